"""The 256 KiB of a state machine's payloads, and inputs that cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import client, refusal, unique
from tests.local_cloud.functions import execute, machine_of, make_function, make_machine

LIMIT = 262_144
TOO_LARGE = "returned a result with a size exceeding the maximum number of bytes service limit."


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    return make_function(cloud, unique("payloads"))


def doubled() -> dict[str, Any]:
    return {"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}, "End": True}


def test_the_input_of_an_execution(cloud: Cloud) -> None:
    machine = machine_of(cloud, {"Same": {"Type": "Pass", "End": True}})
    states = client(cloud, "stepfunctions")
    largest = json.dumps("x" * (LIMIT - 2))
    states.start_execution(stateMachineArn=machine, input=largest)
    code, message = refusal(states.start_execution, stateMachineArn=machine, input=largest[:-1] + 'x"')
    assert code == "ValidationException"
    assert message.endswith(
        f"at 'input' failed to satisfy constraint: Member must have length less than or equal to {LIMIT}"
    )


@pytest.mark.parametrize("text", ["{", "[" * 20_000 + "]" * 20_000], ids=["broken", "deep"])
def test_an_input_that_cannot_be_read(cloud: Cloud, text: str) -> None:
    machine = machine_of(cloud, {"Same": {"Type": "Pass", "End": True}})
    code, message = refusal(client(cloud, "stepfunctions").start_execution, stateMachineArn=machine, input=text)
    assert (code, message.partition(":")[0]) == ("InvalidExecutionInput", "Invalid State Machine Execution Input")


def test_the_output_of_a_state(cloud: Cloud) -> None:
    machine = machine_of(cloud, {"Doubled": doubled()})
    assert execute(cloud, machine, {"x": "x" * 100_000})["status"] == "SUCCEEDED"
    ended = execute(cloud, machine, {"x": "x" * 140_000})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert ended["cause"] == f"The state/task 'Doubled' {TOO_LARGE}"


def test_what_counts_are_bytes_of_utf_8(cloud: Cloud) -> None:
    machine = machine_of(cloud, {"Doubled": doubled()})
    assert execute(cloud, machine, {"x": "é" * 43_000})["status"] == "SUCCEEDED"  # escaped, it would be too large


def test_the_result_of_a_task(cloud: Cloud, function: str) -> None:
    ended = execute(cloud, make_machine(cloud, unique("payloads"), function), {"length": LIMIT})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert ended["cause"] == f"The state/task '{function}' {TOO_LARGE}"


@pytest.mark.parametrize(("name", "status"), [("States.ALL", "FAILED"), ("States.DataLimitExceeded", "SUCCEEDED")])
def test_it_is_caught_by_its_own_name_alone(cloud: Cloud, function: str, name: str, status: str) -> None:
    catch = [{"ErrorEquals": [name], "ResultPath": None, "Next": "Caught"}]
    work = {"Type": "Task", "Resource": function, "Catch": catch, "End": True}
    machine = machine_of(cloud, {"Work": work, "Caught": {"Type": "Succeed"}})
    assert execute(cloud, machine, {"length": LIMIT})["status"] == status
