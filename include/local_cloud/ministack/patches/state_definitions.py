"""A state machine's definition: AWS refuses what is no States Language, MiniStack takes any text.

The schema is cfn-lint's, which is kept up with AWS's; it cannot say whether the states that a state names are there.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..patching import patch, require

_SCHEMA, _TARGET = "SCHEMA_VALIDATION_FAILED", "MISSING_TRANSITION_TARGET"


class Fault(NamedTuple):
    """AWS's code, what is wrong, and where, e.g. `/States/Work/Next`."""

    code: str
    message: str
    location: str


def install() -> None:
    from ministack.services import stepfunctions
    from ministack.services.cloudformation import provisioners

    def checked(check_expressions: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
        @functools.wraps(check_expressions)
        def check(definition: Any) -> str | None:
            return refusal(definition) or check_expressions(definition)

        return check

    def in_stack(read: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
        @functools.wraps(read)
        def read_valid(properties: dict[str, Any]) -> str:
            definition = read(properties)
            if problem := refusal(definition):
                raise provisioners._sfn_handler_error(problem)
            return definition

        return read_valid

    require(stepfunctions, "json_response")
    require(provisioners, "_sfn_handler_error")
    patch(stepfunctions, "_validate_definition_jsonata", checked, ("definition_str",))
    patch(stepfunctions, "_validate_state_machine_definition", lambda taken: _validate, ("data",))
    patch(provisioners, "_sfn_definition", in_stack, ("props",))


def refusal(definition: Any) -> str | None:
    """What AWS says of a definition that it refuses; None for a valid one."""
    told = ", ".join(f"{fault.code}: {fault.message} at {fault.location}" for fault in faults(definition))
    return f"Invalid State Machine Definition: '{told}'" if told else None


def faults(definition: Any) -> list[Fault]:
    """All that is wrong with a definition's text; the targets of states only where the schema finds nothing."""
    try:
        machine = json.loads(definition or "")
    except (TypeError, ValueError, RecursionError) as error:
        return [Fault("INVALID_JSON_DESCRIPTION", str(error), "/")]
    if not isinstance(machine, dict) or not machine:
        return [Fault(_SCHEMA, "A state machine must be a JSON object with StartAt and States", "/")]
    validate = _schema()
    found = [
        Fault(_TARGET if path == "/StartAt" else _SCHEMA, error.message.removesuffix(f" at {path}"), path)
        for error in validate(machine)
        for path in [f"/{'/'.join(str(part) for part in list(error.path)[1:])}"]
    ]
    return found or list(_transitions(machine, ""))


@functools.cache
def _schema() -> Callable[[dict[str, Any]], Iterator[Any]]:
    """cfn-lint's rule for definitions; loading it takes seconds, so it waits for the first definition."""
    from cfnlint.context import create_context_for_template  # type: ignore[import-untyped]
    from cfnlint.jsonschema import CfnTemplateValidator  # type: ignore[import-untyped]
    from cfnlint.rules.resources.stepfunctions.StateMachineDefinition import (  # type: ignore[import-untyped]
        StateMachineDefinition,
    )
    from cfnlint.template import Template  # type: ignore[import-untyped]

    template, rule = Template("", {"Resources": {}}, regions=["us-east-1"]), StateMachineDefinition()
    context = create_context_for_template(template).evolve(functions=[])  # none of CloudFormation's
    validator = CfnTemplateValidator({}).evolve(context=context, cfn=template)
    return lambda machine: rule.validate(validator, {}, {"Definition": machine}, {})


def _transitions(machine: dict[str, Any], path: str) -> Iterator[Fault]:
    """The states that are named and not there, and those that are there and never named."""
    states, reached = machine["States"], {machine["StartAt"]}
    for name, state in states.items():
        place = f"{path}/States/{name}"
        for target, where in _targets(state):
            reached.add(target)
            if target not in states:
                yield Fault(_TARGET, f"Missing 'Next' target: {target}", f"{place}/{where}")
        for inner, where in _machines(state):
            yield from _transitions(inner, f"{place}/{where}")
    for name in states:
        if name not in reached:
            yield Fault(_TARGET, f'State "{name}" is not reachable.', f"{path}/States/{name}")


def _targets(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((state[member], member) for member in ("Next", "Default") if member in state)
    for member in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(member, [])):
            if "Next" in rule:
                yield rule["Next"], f"{member}[{index}]/Next"


def _machines(state: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    yield from ((branch, f"Branches[{index}]") for index, branch in enumerate(state.get("Branches", [])))
    yield from ((state[member], member) for member in ("Iterator", "ItemProcessor") if member in state)


def _validate(data: dict[str, Any]) -> Any:
    from ministack.services import stepfunctions

    told = [{"severity": "ERROR", **fault._asdict()} for fault in faults(data.get("definition"))]
    return stepfunctions.json_response({"result": "FAIL" if told else "OK", "diagnostics": told, "truncated": False})
