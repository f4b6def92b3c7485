"""The table of the functions against all that a function needs: its file, its template, its state."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cfnlint.decode import decode  # type: ignore[import-untyped]  # it publishes no types

from include.scones.handlers import FOLDER, HANDLERS, Handler
from include.scones.stacks import TEMPLATES
from include.scones.stacks.packaging import DEFINITION

WORKFLOW = [handler for handler in HANDLERS if handler.in_workflow]
by_name = pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.name)


def template(stack: str) -> dict[str, Any]:
    content, problems = decode(str(TEMPLATES / f"{stack}.yaml"))
    assert not problems
    return dict(content)


def definition() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(DEFINITION.read_text())
    return content


def test_every_file_is_in_the_table() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")}
    table = {handler.name for handler in HANDLERS}
    assert files - table == set(), "add it to HANDLERS in include/scones/handlers.py"
    assert table - files == set(), "write lambdas/<name>.py"


@by_name
def test_the_template_has_the_function(handler: Handler) -> None:
    where = f"include/infrastructure/{handler.stack}.yaml"
    resources = template(handler.stack)["Resources"]
    assert handler.resource in resources, f"add the function {handler.resource} to {where}"
    function = resources[handler.resource]["Properties"]
    assert function["FunctionName"] == {"Fn::Sub": f"${{Project}}-{handler.function}"}
    assert function["Handler"] == f"{handler.name}.lambda_handler"
    assert function["Role"] == {"Fn::GetAtt": [f"{handler.resource}Role", "Arn"]}
    assert function["Code"]["S3Key"] == {"Ref": f"{handler.resource}Key"}
    assert {"Ref": f"{handler.resource}Version"} in function["Code"]["S3ObjectVersion"]["Fn::If"]


@by_name
def test_the_template_takes_its_package(handler: Handler) -> None:
    parameters = template(handler.stack)["Parameters"]
    for member in ("Key", "Version"):
        name = f"{handler.resource}{member}"
        assert name in parameters, f"add the parameter {name} to include/infrastructure/{handler.stack}.yaml"


@by_name
def test_its_log_group_is_made_before_it_and_its_role_may_write_there(handler: Handler) -> None:
    where = f"include/infrastructure/{handler.stack}.yaml"
    resources = template(handler.stack)["Resources"]
    logs, role = f"{handler.resource}Logs", f"{handler.resource}Role"
    assert logs in resources, f"add the log group {logs} to {where}"
    assert resources[logs]["Properties"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/${{Project}}-{handler.function}"}
    assert resources[handler.resource]["DependsOn"] == logs, f"{handler.resource} must depend on {logs} in {where}"
    assert role in resources, f"add the role {role} to {where}"
    trust = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trust] == [{"Service": "lambda.amazonaws.com"}]
    written = [
        statement
        for policy in resources[role]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == {"Fn::GetAtt": [logs, "Arn"]}
    ]
    actions = [set(statement["Action"]) for statement in written]
    assert actions == [{"logs:CreateLogStream", "logs:PutLogEvents"}], f"{role} cannot write its log: see {where}"


@pytest.mark.parametrize("handler", WORKFLOW, ids=lambda handler: handler.name)
def test_a_state_invokes_it_and_the_state_machine_may(handler: Handler) -> None:
    where = "include/infrastructure/inference.yaml"
    arn = {"Fn::GetAtt": [handler.resource, "Arn"]}
    resources = template("inference")["Resources"]
    filled = resources["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert filled.get(f"{handler.resource}Arn") == arn, f"fill {handler.resource}Arn in the StateMachine of {where}"
    named = [state["Parameters"]["FunctionName"] for state in definition()["States"].values()]
    assert f"${{{handler.resource}Arn}}" in named, f"no state of step_function.json invokes {handler.resource}"
    assert arn in invocable(), f"the StateMachineRole of {where} may not invoke {handler.resource}: AWS would refuse"


def test_the_state_machine_may_invoke_nothing_else() -> None:
    states = definition()["States"].values()
    invoked = {state["Parameters"]["FunctionName"][2:-4] for state in states if "FunctionName" in state["Parameters"]}
    assert invoked == {handler.resource for handler in WORKFLOW}, "handlers.py and step_function.json differ"
    assert sorted(arn["Fn::GetAtt"][0] for arn in invocable()) == sorted(invoked)


def invocable() -> list[dict[str, list[str]]]:
    """The functions that the state machine's role may invoke."""
    role = template("inference")["Resources"]["StateMachineRole"]["Properties"]
    return [
        arn
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
        for arn in statement["Resource"]
    ]
