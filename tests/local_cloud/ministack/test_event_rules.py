"""A rule of EventBridge is deleted only without targets; that of a stack goes with its stack."""

from __future__ import annotations

import json

import pytest

from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.waiting import eventually

QUEUE = f"arn:aws:sqs:{REGION}:000000000000:events"


def test_a_rule_with_targets_is_not_deleted(cloud: Cloud) -> None:
    events, name = cloud.client("events"), unique("rule")
    events.put_rule(Name=name, ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": QUEUE}])
    told = refusal(events.delete_rule, Name=name)
    assert told == ("ValidationException", "Rule can't be deleted since it has targets.")
    assert events.list_targets_by_rule(Rule=name)["Targets"] == [{"Id": "queue", "Arn": QUEUE}]
    assert events.remove_targets(Rule=name, Ids=["queue"])["FailedEntryCount"] == 0
    events.delete_rule(Name=name)
    assert events.list_rules(NamePrefix=name)["Rules"] == []
    events.delete_rule(Name=name)  # as on AWS, where it is gone already


@pytest.mark.parametrize(("operation", "request_"), [("remove_targets", {"Ids": ["x"]}), ("list_targets_by_rule", {})])
def test_targets_of_a_rule_that_is_not_there(cloud: Cloud, operation: str, request_: dict[str, list[str]]) -> None:
    told = refusal(getattr(cloud.client("events"), operation), Rule="none", **request_)
    assert told == ("ResourceNotFoundException", "Rule none does not exist on EventBus default.")


def test_a_stacks_rule_is_deleted_with_its_targets(cloud: Cloud) -> None:
    name, formation, events = unique("rules"), cloud.client("cloudformation"), cloud.client("events")
    properties = {"Name": name, "ScheduleExpression": "rate(1 hour)", "Targets": [{"Id": "queue", "Arn": QUEUE}]}
    template = {"Resources": {"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}}}
    formation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    eventually(lambda: formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    assert len(events.list_targets_by_rule(Rule=name)["Targets"]) == 1
    formation.delete_stack(StackName=name)
    eventually(lambda: not events.list_rules(NamePrefix=name)["Rules"])
