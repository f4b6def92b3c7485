"""Metric alarms by CloudWatch's rules: which data they watch, what they do when data are missing, whom they tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.local_cloud.cloudwatch.alarm_rules import judge
from tests.conftest import Cloud
from tests.local_cloud.conftest import client, unique
from tests.local_cloud.functions import execute, invoke, make_function, make_machine
from tests.waiting import eventually

NAMESPACE = "Scones/Tests"
HOUR = 3600
NOW = 1_800_000_025.0  # 25 seconds after a whole minute
MINUTE = 1_800_000_000


def put_alarm(cloudwatch: Any, **settings: Any) -> str:
    """An alarm on an hour's sum of a metric of its own, at 5 or more."""
    name = settings.get("AlarmName") or unique("alarm")
    defaults = {
        "AlarmName": name,
        "Namespace": NAMESPACE,
        "MetricName": name,
        "Statistic": "Sum",
        "Period": HOUR,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    cloudwatch.put_metric_alarm(**defaults | settings)
    return name


def put(cloudwatch: Any, metric: str, value: float, minutes_ago: float = 0, **dimensions: str) -> None:
    datum = {
        "MetricName": metric,
        "Value": value,
        "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes_ago),
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def described(cloudwatch: Any, name: str) -> dict[str, Any]:
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(alarm)


def becomes(cloudwatch: Any, name: str, state: str) -> dict[str, Any]:
    eventually(lambda: described(cloudwatch, name)["StateValue"] == state, seconds=15)
    return described(cloudwatch, name)


@pytest.fixture
def cloudwatch(cloud: Cloud) -> Any:
    return client(cloud, "cloudwatch")


def test_only_data_of_exactly_the_alarms_dimensions_count(cloudwatch: Any) -> None:
    here = put_alarm(cloudwatch, Dimensions=[{"Name": "Function", "Value": "here"}])
    nowhere = put_alarm(cloudwatch, MetricName=here)
    seen = put_alarm(cloudwatch, MetricName=here, Dimensions=[{"Name": "Function", "Value": "there"}])
    put(cloudwatch, here, 9, Function="there")
    put(cloudwatch, here, 9, Function="here", Version="1")
    put(cloudwatch, here, 4, Function="here")

    becomes(cloudwatch, seen, "ALARM")
    assert [described(cloudwatch, name)["StateValue"] for name in (here, nowhere)] == ["OK", "OK"]

    put(cloudwatch, here, 1, Function="here")
    alarm = becomes(cloudwatch, here, "ALARM")
    assert alarm["StateReason"] == (
        "Threshold Crossed: 1 out of the last 1 datapoints [5.0] was greater than or equal to the threshold (5.0)."
    )
    assert described(cloudwatch, nowhere)["StateValue"] == "OK"


def test_alarms_without_data_do_as_they_are_told_and_need_no_request(cloudwatch: Any) -> None:
    states = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA", "ignore": "INSUFFICIENT_DATA"}
    names = {treatment: put_alarm(cloudwatch, TreatMissingData=treatment) for treatment in states}
    becomes(cloudwatch, names["breaching"], "ALARM")
    assert {treatment: described(cloudwatch, name)["StateValue"] for treatment, name in names.items()} == states
    assert described(cloudwatch, names["notBreaching"])["StateReason"] == (
        "Threshold Crossed: no datapoints were received and 1 missing datapoint was treated as [NonBreaching]."
    )


def test_two_of_three_periods(cloudwatch: Any) -> None:
    name = put_alarm(cloudwatch, EvaluationPeriods=3, DatapointsToAlarm=2)
    put(cloudwatch, name, 9, minutes_ago=150)
    put(cloudwatch, name, 0, minutes_ago=90)
    becomes(cloudwatch, name, "OK")
    put(cloudwatch, name, 9, minutes_ago=30)
    becomes(cloudwatch, name, "ALARM")


def test_data_that_are_too_old_do_not_count(cloudwatch: Any) -> None:
    name = put_alarm(cloudwatch, TreatMissingData="missing")
    recent = put_alarm(cloudwatch, TreatMissingData="missing")
    put(cloudwatch, name, 9, minutes_ago=200)
    put(cloudwatch, recent, 9, minutes_ago=30)
    becomes(cloudwatch, recent, "ALARM")
    assert described(cloudwatch, name)["StateValue"] == "INSUFFICIENT_DATA"


def test_subscribers_are_told_of_each_change_once(cloud: Cloud, cloudwatch: Any) -> None:
    topic = client(cloud, "sns").create_topic(Name=unique("alerts"))["TopicArn"]
    sqs = client(cloud, "sqs")
    queue = sqs.create_queue(QueueName=unique("alerts"))["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sender = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**sender, "Resource": queue_arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    client(cloud, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    name = put_alarm(cloudwatch, AlarmActions=[topic], OKActions=[topic])
    becomes(cloudwatch, name, "OK")

    put(cloudwatch, name, 9)
    becomes(cloudwatch, name, "ALARM")
    # What a person sets lasts until the next evaluation.
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a person says so")
    becomes(cloudwatch, name, "ALARM")
    put_alarm(cloudwatch, AlarmName=name, Threshold=10, AlarmActions=[topic], OKActions=[topic])
    becomes(cloudwatch, name, "OK")

    got: list[dict[str, Any]] = []

    def all_told() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            got.append(json.loads(json.loads(message["Body"])["Message"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(got) >= 5

    eventually(all_told)
    changes = [(message["OldStateValue"], message["NewStateValue"]) for message in got]
    assert sorted(changes) == [
        ("ALARM", "OK"),
        ("ALARM", "OK"),
        ("INSUFFICIENT_DATA", "OK"),
        ("OK", "ALARM"),
        ("OK", "ALARM"),
    ]
    assert {message["AlarmName"] for message in got} == {name}
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert len([item for item in history if not item["HistorySummary"].endswith("INSUFFICIENT_DATA")]) == 5


def test_a_functions_errors_count_however_it_is_called(cloud: Cloud, cloudwatch: Any) -> None:
    function = unique("function")
    machine = make_machine(cloud, unique("machine"), make_function(cloud, function))
    dimensions = [{"Name": "FunctionName", "Value": function}]
    name = put_alarm(cloudwatch, Namespace="AWS/Lambda", MetricName="Errors", Dimensions=dimensions, Threshold=2)
    assert execute(cloud, machine, {"fail": True})["status"] == "FAILED"
    assert execute(cloud, machine, {})["status"] == "SUCCEEDED"
    becomes(cloudwatch, name, "OK")
    invoke(cloud, function, {"fail": True})
    becomes(cloudwatch, name, "ALARM")
    client(cloud, "lambda").delete_function(FunctionName=function)

    now = datetime.now(UTC)
    sums = {
        metric: sum(
            point["Sum"]
            for point in cloudwatch.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=dimensions,
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(hours=1),
                Period=86400,
                Statistics=["Sum"],
            )["Datapoints"]
        )
        for metric in ("Invocations", "Errors", "Throttles")
    }
    assert sums == {"Invocations": 3, "Errors": 2, "Throttles": 0}


def minutes(values: str) -> list[dict[str, Any]]:
    """Data points of the last whole minutes: X breaches, 0 does not, - is missing."""
    return [
        {"Timestamp": MINUTE - 60 * age + 30, "Value": 9.0 if value == "X" else 0.0}
        for age, value in zip(range(len(values), 0, -1), values, strict=True)
        if value != "-"
    ]


def alarm_of(**settings: Any) -> dict[str, Any]:
    defaults = {
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 5.0,
        "Statistic": "Average",
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return defaults | settings


# The examples in CloudWatch's documentation of missing data; an empty state is the one that the alarm has already.
@pytest.mark.parametrize(
    ("needed", "values", "states"),
    [
        (3, "0-X-X", ("OK", "OK", "OK", "OK")),
        (3, "----0", ("OK", "OK", "OK", "OK")),
        (3, "-----", ("INSUFFICIENT_DATA", "", "ALARM", "OK")),
        (3, "0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "--X--", ("ALARM", "", "ALARM", "OK")),
        (3, "----X", ("", "", "ALARM", "OK")),
        (2, "0-X-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "00X0X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0-X--", ("OK", "OK", "ALARM", "OK")),
        (2, "----0", ("OK", "OK", "ALARM", "OK")),
        (2, "---X-", ("ALARM", "", "ALARM", "OK")),
    ],
)
def test_missing_data(needed: int, values: str, states: tuple[str, ...]) -> None:
    treatments = ("missing", "ignore", "breaching", "notBreaching")
    judged = [
        judge(alarm_of(DatapointsToAlarm=needed, TreatMissingData=treatment), minutes(values), NOW).state
        for treatment in treatments
    ]
    assert judged == list(states)


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("GreaterThanThreshold", [False, False, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_comparisons(comparison: str, breaching: list[bool]) -> None:
    alarm = alarm_of(EvaluationPeriods=1, ComparisonOperator=comparison)
    points = [[{"Timestamp": MINUTE - 30, "Value": value}] for value in (4.0, 5.0, 6.0)]
    assert [judge(alarm, [*each], NOW).state == "ALARM" for each in points] == breaching


@pytest.mark.parametrize(
    ("statistic", "state"), [("Sum", "ALARM"), ("Maximum", "OK"), ("Average", "OK"), ("SampleCount", "OK")]
)
def test_statistics(statistic: str, state: str) -> None:
    points = [{"Timestamp": MINUTE - age, "Value": 2.0} for age in (10, 20, 30)]
    assert judge(alarm_of(EvaluationPeriods=1, Statistic=statistic), points, NOW).state == state


def test_the_running_minute_can_raise_an_alarm_and_not_end_one() -> None:
    before, running = {"Timestamp": MINUTE - 30, "Value": 9.0}, {"Timestamp": MINUTE + 10, "Value": 9.0}
    calm = {"Timestamp": MINUTE + 10, "Value": 0.0}
    total = alarm_of(EvaluationPeriods=1, Statistic="Sum", TreatMissingData="notBreaching")
    assert judge(total, [running], NOW).state == "ALARM"
    assert judge(total, [before, calm], NOW).state == "ALARM"
    assert judge(total, [before, calm], NOW + 60).state == "OK"
    average = total | {"Statistic": "Average"}
    assert judge(average, [running], NOW).state == "OK"
    assert judge(average, [running], NOW + 60).state == "ALARM"


def test_periods_of_minutes_slide_and_short_ones_have_ten_seconds() -> None:
    points = [{"Timestamp": MINUTE - age, "Value": 2.0} for age in (10, 130, 290)]
    alarm = alarm_of(EvaluationPeriods=1, Statistic="Sum", Period=300)
    assert judge(alarm, points, NOW).state == "ALARM"
    assert judge(alarm, points, NOW + 60).state == "OK"
    short = alarm_of(EvaluationPeriods=1, Period=10)
    assert judge(short, [{"Timestamp": MINUTE + 15, "Value": 9.0}], NOW).state == "ALARM"
