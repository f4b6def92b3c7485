"""The history of an execution: which events there are, what they tell, and which one each follows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.validate import ParamValidator

from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import client, unique
from tests.local_cloud.functions import execute, machine_of, make_function
from tests.waiting import eventually

SAME = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "Refuse", "States": {"Refuse": {"Type": "Fail", "Error": "Refused", "Cause": "it is so"}}}
WHOLE = {"truncated": False}


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    return make_function(cloud, unique("history"))


def history_of(cloud: Cloud, arn: str) -> list[dict[str, Any]]:
    """The events, which are as AWS's model of them says."""
    states = client(cloud, "stepfunctions")
    answer = states.get_execution_history(executionArn=arn)
    shape = states.meta.service_model.operation_model("GetExecutionHistory").output_shape
    problems = ParamValidator().validate({"events": answer["events"]}, shape)
    assert not problems.has_errors(), problems.generate_report()
    assert [event["id"] for event in answer["events"]] == list(range(1, len(answer["events"]) + 1))
    return list(answer["events"])


def run(cloud: Cloud, states: dict[str, Any], given: Any = None) -> list[dict[str, Any]]:
    arn = execute(cloud, machine_of(cloud, states), {} if given is None else given)["executionArn"]
    return history_of(cloud, arn)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def details(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """What the only event of this kind tells."""
    (event,) = [event for event in events if event["type"] == kind]
    (told,) = [value for name, value in event.items() if name.endswith("EventDetails")]
    return dict(told)


def work(resource: str, **members: Any) -> dict[str, Any]:
    return {"Work": {"Type": "Task", "Resource": resource, "End": True, **members}}


def test_a_functions_arn(cloud: Cloud, function: str) -> None:
    events = run(cloud, work(function, TimeoutSeconds=60), {"echo": 1})
    assert kinds(events) == [
        *("ExecutionStarted", "TaskStateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted"),
        *("LambdaFunctionSucceeded", "TaskStateExited", "ExecutionSucceeded"),
    ]
    assert [event["previousEventId"] for event in events] == [0, 0, 2, 3, 4, 5, 6]
    assert details(events, "LambdaFunctionScheduled") == {
        **{"resource": function, "input": '{"echo": 1}', "inputDetails": WHOLE},
        "timeoutInSeconds": 60,
    }
    assert details(events, "LambdaFunctionSucceeded") == {"output": '{"echo": 1}', "outputDetails": WHOLE}
    assert "lambdaFunctionStartedEventDetails" not in events[3]
    assert details(events, "TaskStateEntered") == {"name": "Work", "input": '{"echo": 1}', "inputDetails": WHOLE}


def test_a_function_that_fails(cloud: Cloud, function: str) -> None:
    events = run(cloud, work(function), {"fail": True})
    assert kinds(events)[-2:] == ["LambdaFunctionFailed", "ExecutionFailed"]
    assert details(events, "LambdaFunctionFailed")["error"] == "ThresholdConfidenceNotMet"
    assert details(events, "ExecutionFailed") == details(events, "LambdaFunctionFailed")


def test_lambda_invoke(cloud: Cloud, function: str) -> None:
    parameters = {"FunctionName": function, "Payload": {"echo": 1}}
    events = run(cloud, work("arn:aws:states:::lambda:invoke", Parameters=parameters))
    assert kinds(events)[1:-1] == [
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
    ]
    called = {"resourceType": "lambda", "resource": "invoke"}
    scheduled = details(events, "TaskScheduled")
    assert json.loads(scheduled.pop("parameters")) == parameters
    assert scheduled == called | {"region": REGION}
    assert details(events, "TaskStarted") == called
    succeeded = details(events, "TaskSucceeded")
    assert json.loads(succeeded["output"])["Payload"] == {"echo": 1}
    assert called.items() <= succeeded.items()


@pytest.mark.parametrize("kind", ["invoke", "arn"])
def test_a_task_that_takes_too_long_and_is_caught(cloud: Cloud, function: str, kind: str) -> None:
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Late"}]
    parameters = {"FunctionName": function, "Payload": {"sleep": 3}}
    resource, members = function, {"Parameters": parameters["Payload"]}
    if kind == "invoke":
        resource, members = "arn:aws:states:::lambda:invoke", {"Parameters": parameters}
    task = {"Type": "Task", "Resource": resource, "TimeoutSeconds": 1, "Catch": catch, "End": True, **members}
    events = run(cloud, {"Work": task, "Late": {"Type": "Succeed"}})
    prefix = "Task" if kind == "invoke" else "LambdaFunction"
    assert kinds(events)[4:] == [
        *(f"{prefix}TimedOut", "TaskStateExited", "SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded")
    ]
    assert details(events, f"{prefix}TimedOut")["error"] == "States.Timeout"


def test_services_and_submissions(cloud: Cloud) -> None:
    inner = machine_of(cloud, {"Same": {"Type": "Pass", "End": True}})
    nested = "arn:aws:states:::states:startExecution.sync:2"
    events = run(cloud, work(nested, Parameters={"StateMachineArn": inner}))
    assert kinds(events)[2:-2] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert details(events, "TaskSubmitted") == {"resourceType": "states", "resource": "startExecution.sync:2"}
    events = run(cloud, work("arn:aws:states:::aws-sdk:sfn:listActivities", Parameters={}))
    assert details(events, "TaskStarted") == {"resourceType": "aws-sdk:sfn", "resource": "listActivities"}


def test_each_attempt_is_told(cloud: Cloud, function: str) -> None:
    retry = [{"ErrorEquals": ["ThresholdConfidenceNotMet"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    events = run(cloud, work(function, Retry=retry), {"fail": True})
    attempt = ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionFailed"]
    assert kinds(events)[2:-1] == [*attempt, *attempt]


def test_branches(cloud: Cloud, function: str) -> None:
    branches = [SAME, {"StartAt": "Work", "States": work(function)}]
    both = {"Type": "Parallel", "Branches": branches, "Next": "Last"}
    events = run(cloud, {"Both": both, "Last": {"Type": "Succeed"}}, {"echo": 1})
    assert kinds(events)[1:3] == ["ParallelStateEntered", "ParallelStateStarted"]
    assert kinds(events)[-5:] == [
        *("ParallelStateSucceeded", "ParallelStateExited", "SucceedStateEntered", "SucceedStateExited"),
        "ExecutionSucceeded",
    ]
    assert sorted(kinds(events)[3:-5]) == [
        *("LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded", "PassStateEntered"),
        *("PassStateExited", "TaskStateEntered", "TaskStateExited"),
    ]
    by_id = {event["id"]: event for event in events}
    for event in events[3:-5]:  # its branch's event before, or the beginning of the branches
        before = by_id[event["previousEventId"]]["type"]
        first = event["type"] in ("PassStateEntered", "TaskStateEntered")
        assert (before == "ParallelStateStarted") == first
        assert before.startswith("Pass") == (event["type"] == "PassStateExited")
    assert json.loads(details(events, "ExecutionSucceeded")["output"]) == [{"echo": 1}, {"echo": 1}]


def test_a_branch_that_fails(cloud: Cloud) -> None:
    events = run(cloud, {"Both": {"Type": "Parallel", "Branches": [FAIL], "End": True}})
    assert kinds(events)[2:] == ["ParallelStateStarted", "FailStateEntered", "ParallelStateFailed", "ExecutionFailed"]
    assert details(events, "ExecutionFailed") == {"error": "Refused", "cause": "it is so"}


def test_iterations(cloud: Cloud) -> None:
    each = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": SAME, "End": True}
    events = run(cloud, {"Each": each}, {"items": ["a", "b"]})
    iteration = ["MapIterationStarted", "PassStateEntered", "PassStateExited", "MapIterationSucceeded"]
    assert kinds(events)[1:] == [
        *("MapStateEntered", "MapStateStarted", *iteration, *iteration),
        *("MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"),
    ]
    assert details(events, "MapStateStarted") == {"length": 2}
    started = [event for event in events if event["type"] == "MapIterationStarted"]
    assert [event["mapIterationStartedEventDetails"] for event in started] == [
        {"name": "Each", "index": index} for index in (0, 1)
    ]


def test_an_iteration_that_fails(cloud: Cloud) -> None:
    events = run(cloud, {"Each": {"Type": "Map", "ItemProcessor": FAIL, "End": True}}, ["a"])
    assert kinds(events)[3:] == [
        *("MapIterationStarted", "FailStateEntered", "MapIterationFailed", "MapStateFailed", "ExecutionFailed")
    ]


def test_nothing_follows_the_end(cloud: Cloud, function: str) -> None:
    states, logs = client(cloud, "stepfunctions"), client(cloud, "logs")
    group = f"/aws/lambda/{function.rpartition(':')[2]}"

    def ends() -> int:
        events = logs.filter_log_events(logGroupName=group, limit=10_000)["events"]
        return sum(event["message"].startswith("END ") for event in events)

    execute(cloud, machine := machine_of(cloud, work(function)), {})
    before = ends()
    arn = states.start_execution(stateMachineArn=machine, input='{"sleep": 1, "fail": true}')["executionArn"]
    eventually(lambda: "LambdaFunctionStarted" in kinds(history_of(cloud, arn)))
    states.stop_execution(executionArn=arn)
    eventually(lambda: ends() > before, what="the end of the function")
    assert states.describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert kinds(history_of(cloud, arn))[-2:] == ["LambdaFunctionStarted", "ExecutionAborted"]
