"""FilterLogEvents gives every event once, from the streams that are asked for and by AWS's patterns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_cloud.conftest import refusal, unique


def write(logs: Any, group: str, stream: str, *messages: str, start: int = 1_000) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": start + index // 3, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


@pytest.fixture
def group(logs: Any) -> str:
    name = unique("filtered")
    logs.create_log_group(logGroupName=name)
    return name


def messages(logs: Any, group: str, **request: Any) -> list[str]:
    return [event["message"] for event in logs.filter_log_events(logGroupName=group, **request)["events"]]


def test_more_events_than_an_answer_holds_come_in_pages(logs: Any, group: str) -> None:
    for stream in ("one", "two"):
        write(logs, group, stream, *(f"{stream} {number}" for number in range(6_000)))
    first = logs.filter_log_events(logGroupName=group)
    assert len(first["events"]) == 10_000
    second = logs.filter_log_events(logGroupName=group, nextToken=first["nextToken"])
    assert "nextToken" not in second
    events = first["events"] + second["events"]
    assert len({(event["logStreamName"], event["message"]) for event in events}) == len(events) == 12_000
    assert len({event["eventId"] for event in events}) == 12_000


@pytest.mark.parametrize("limit", [1, 4, 7])
def test_pages_end_within_one_moment_and_pass_over_what_does_not_match(logs: Any, group: str, limit: int) -> None:
    for stream in ("one", "two"):
        write(
            logs, group, stream, *(f"{stream} {'even' if number % 2 == 0 else 'odd'} {number}" for number in range(9))
        )
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern="even", limit=limit, startTime=1_001, endTime=1_002
    )
    found = [[event["message"] for event in page["events"]] for page in pages]
    assert all(len(page) == limit for page in found[:-1])
    every = [message for page in found for message in page]
    assert sorted(every) == [f"{stream} even {number}" for stream in ("one", "two") for number in (4, 6, 8)]


def test_a_page_holds_a_mebibyte(logs: Any, group: str) -> None:
    write(logs, group, "large", *("x" * 200_000 for _ in range(4)))
    write(logs, group, "larger", *("y" * 200_000 for _ in range(4)))
    first = logs.filter_log_events(logGroupName=group)
    assert len(first["events"]) == 5
    assert len(logs.filter_log_events(logGroupName=group, nextToken=first["nextToken"])["events"]) == 3


def test_streams_are_chosen_by_name_or_prefix(logs: Any, group: str) -> None:
    for stream in ("job/a", "job/b", "other"):
        write(logs, group, stream, stream)
    assert sorted(messages(logs, group, logStreamNamePrefix="job/")) == ["job/a", "job/b"]
    assert sorted(messages(logs, group, logStreamNames=["other", "job/a"])) == ["job/a", "other"]
    assert messages(logs, group, logStreamNamePrefix="none") == []
    both = {"logGroupName": group, "logStreamNames": ["other"], "logStreamNamePrefix": "job/"}
    assert refusal(logs.filter_log_events, **both)[0] == "InvalidParameterException"
    missing = refusal(logs.filter_log_events, logGroupName=group, logStreamNames=["other", "gone"])
    assert missing == ("ResourceNotFoundException", "The specified log stream does not exist: gone")


def test_patterns_count_and_what_is_not_understood_is_refused(logs: Any, group: str) -> None:
    write(logs, group, "stream", "ERROR 1", "WARN 2", '{"a": 1}', '{"a": 2}')
    assert messages(logs, group, filterPattern="?ERROR ?WARN") == ["ERROR 1", "WARN 2"]
    assert messages(logs, group, filterPattern="%[0-9]$%") == ["ERROR 1", "WARN 2"]
    assert messages(logs, group, filterPattern="{ $.a = 1 }") == ['{"a": 1}']
    for pattern in ("a-b", "{ $.a ~ 1 }", "[ip, user]"):
        code, message = refusal(logs.filter_log_events, logGroupName=group, filterPattern=pattern)
        assert code == "InvalidParameterException"
        assert message.startswith("Invalid filter pattern: ")
    for request in ({"nextToken": "nope"}, {"limit": 10_001}):
        assert refusal(logs.filter_log_events, logGroupName=group, **request)[0] == "InvalidParameterException"


def test_a_subscription_takes_no_pattern_that_is_not_understood(logs: Any, group: str) -> None:
    request = {"filterName": "all", "destinationArn": "arn:aws:lambda:us-east-1:000000000000:function:f"}
    code, _ = refusal(logs.put_subscription_filter, logGroupName=group, filterPattern="?a b", **request)
    assert code == "InvalidParameterException"
    logs.put_subscription_filter(logGroupName=group, filterPattern="?a ?b", **request)
