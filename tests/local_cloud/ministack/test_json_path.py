"""Paths of state machines: filters, slices and the like, and what leads nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.local_cloud.ministack.json_path import PathError, find
from tests.conftest import Cloud
from tests.local_cloud.functions import execute, machine_of
from tests.roles import ROLE

ORDERS = {
    "limit": 2,
    "orders": [
        {"id": 1, "class": "bicycle", "size": 1, "tags": ["a", "b"], "paid": True},
        {"id": 2, "class": "motorcycle", "size": 3, "tags": [], "paid": False, "a-b": None},
        {"id": 3, "class": "it's [odd)]", "size": 2, "tags": ["b"]},
    ],
    "*": "a star",
}


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("@.id==1", [1]),
        ("@.id == 1 || @.id == 3", [1, 3]),
        ("@.class == 'motorcycle' && @.size > 2", [2]),
        ("@['class'] != 'motorcycle'", [1, 3]),
        ("@.size <= $.limit", [1, 3]),
        ("@.paid", [1, 2]),
        ("!@.paid", [3]),
        ("@.paid == true", [1]),
        ("@.size == true", []),
        ("@.a-b == null", [2]),
        ("@.nothing == null", []),
        ("@.nothing < 1", []),
        ('@.class == "it\'s [odd)]"', [3]),
        ("(@.id == 1 || @.id == 2) && !(@.paid == false)", [1]),
        ("@.id in [2, 3]", [2, 3]),
        ("@.tags[0] == 'b'", [3]),
        ("@.id > -1", [1, 2, 3]),
        ("@.class > 'c'", [2, 3]),
    ],
)
def test_filters(path: str, ids: list[int]) -> None:
    assert find(f"$.orders[?({path})].id", ORDERS) == ids
    assert find(f"$.orders[?({path})]", ORDERS) == [each for each in ORDERS["orders"] if each["id"] in ids]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", ORDERS),
        ("$.limit", 2),
        ("$['limit']", 2),
        ("$['*']", "a star"),
        ("$.orders[0]['class']", "bicycle"),
        ("$.orders[-1].id", 3),
        ("$.orders[1].a-b", None),
        ("$.orders[0:2].id", [1, 2]),
        ("$.orders[-1:].id", [3]),
        ("$.orders[::2].id", [1, 3]),
        ("$.orders[0, 2].id", [1, 3]),
        ("$.orders[0]['id', 'size']", [1, 1]),
        ("$.orders[*].size", [1, 3, 2]),
        ("$.orders[0].tags.*", ["a", "b"]),
        ("$..size", [1, 3, 2]),
        ("$..tags[0]", ["a", "b"]),
        ("$..[?(@.size == 3)].id", [2]),
        ("$.orders[?(@.id == 9)]", []),
        ("$.orders[5:]", []),
        ("$[0:1]", []),
    ],
)
def test_other_paths(path: str, value: Any) -> None:
    assert find(path, ORDERS) == value


@pytest.mark.parametrize(
    "path",
    [
        *(
            "$.nothing",
            "$.orders[3]",
            "$.limit.x",
            "$.orders.id",
            "$limit",
            "$.",
            "$.orders[",
            "$.orders[x]",
            "$.a..b.",
        ),
        *("$.orders[?(@.id =~ /1/)]", "$.orders[?(@.tags.length() > 1)]", "$.orders[?(1)]", "$.orders[?(1 < 2 < 3)]"),
        *("$.orders[?(__import__('os'))]", "$.orders[?(@.id == other)]"),
    ],
)
def test_what_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(PathError):
        find(path, ORDERS)


def test_in_a_state_machine(cloud: Cloud) -> None:
    chosen = {
        "Type": "Pass",
        "Parameters": {"large.$": "$.orders[?(@.size>=2)].id", "first.$": "$.orders[0:1].id"},
        "ResultPath": "$.chosen",
        "Next": "Is it there",
    }
    rules = [{"Variable": "$.chosen.lost", "IsPresent": True, "Next": "Wrong"}]
    rules += [{"Variable": "$.orders[1]['a-b']", "IsPresent": False, "Next": "Wrong"}]
    choice = {"Type": "Choice", "Choices": rules, "Default": "Last"}
    last = {"Type": "Pass", "OutputPath": "$.chosen", "End": True}
    states = {"Choose": chosen, "Is it there": choice, "Last": last, "Wrong": {"Type": "Fail"}}
    done = execute(cloud, machine_of(cloud, states), ORDERS)
    assert json.loads(done["output"]) == {"large": [2, 3], "first": [1]}


def test_the_context_of_an_execution(cloud: Cloud) -> None:
    paths = ("Execution.RoleArn", "Execution.RedriveCount", "Execution.Input.limit", "State.Name", "State.RetryCount")
    state = {"Type": "Pass", "Parameters": {f"{path}.$": f"$$.{path}" for path in paths}, "End": True}
    done = execute(cloud, machine_of(cloud, {"Only": state}), ORDERS)
    assert list(json.loads(done["output"]).values()) == [ROLE, 0, 2, "Only", 0]


def test_no_wildcard_catches_a_path_that_leads_nowhere(cloud: Cloud) -> None:
    branch = {"StartAt": "Lost", "States": {"Lost": {"Type": "Pass", "InputPath": "$.lost", "End": True}}}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    both = {"Type": "Parallel", "Branches": [branch], "Catch": catch, "End": True}
    failed = execute(cloud, machine_of(cloud, {"Both": both, "Caught": {"Type": "Succeed"}}), {})
    assert (failed["status"], failed["error"]) == ("FAILED", "States.Runtime")


@pytest.mark.parametrize(
    "state",
    [{"Parameters": {"x.$": "$.lost"}}, {"InputPath": "$.lost"}, {"Parameters": {"x.$": "$.orders[?(@.id =~ /1/)]"}}],
)
def test_an_execution_fails_where_a_path_leads_nowhere(cloud: Cloud, state: dict[str, Any]) -> None:
    failed = execute(
        cloud, machine_of(cloud, {"Only": {"Type": "Pass", "End": True, **state}}), {"orders": [{"id": 1}]}
    )
    assert (failed["status"], failed["error"]) == ("FAILED", "States.Runtime")
    assert failed["cause"].startswith("Invalid path '$.")
