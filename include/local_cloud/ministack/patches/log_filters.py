"""FilterLogEvents in pages, by stream prefix and with AWS's filter patterns; subscription filters use the same ones."""

from __future__ import annotations

import functools
import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Any

from ...cloudwatch.filter_patterns import compile_pattern
from ..patching import patch, require

PAGE_BYTES = 1024 * 1024  # of one answer; each event counts 26 bytes beside its message
PAGE_EVENTS = 10_000
_INVALID = "InvalidParameterException"


def install() -> None:
    from ministack.services import cloudwatch_logs as logs

    require(logs, "_log_groups", "_log_events_lock", "_resolve_log_group_name", "error_response_json", "json_response")
    require(logs, "_event_timestamp", "new_uuid")
    patch(logs, "_filter_log_events", lambda filter_: functools.partial(_refusing, _filter), ("data",))
    for operation, member in (
        ("_put_subscription_filter", "filterPattern"),
        ("_start_live_tail", "logEventFilterPattern"),
    ):
        patch(logs, operation, functools.partial(_judged, member), ("data",))
    patch(logs, "_subscription_pattern_matches", lambda matches: _matches, ("pattern", "message"))


class _Refused(Exception):
    """Code and message of the error."""


def _refusing(operation: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    from ministack.services.cloudwatch_logs import error_response_json

    try:
        return operation(data)
    except _Refused as error:
        return error_response_json(*error.args, 400)
    except ValueError as error:
        return error_response_json(_INVALID, f"Invalid filter pattern: {error}", 400)


def _judged(member: str, operation: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def judge(data: dict[str, Any]) -> Any:
        compile_pattern(data.get(member) or "")
        return operation(data)

    return functools.partial(_refusing, judge)


def _matches(pattern: str, message: str) -> bool:
    return compile_pattern(pattern or "")(message or "")


def _filter(data: dict[str, Any]) -> Any:
    from ministack.services.cloudwatch_logs import json_response, new_uuid

    matches = compile_pattern(data.get("filterPattern") or "")
    limit = data.get("limit", PAGE_EVENTS)
    if not 1 <= limit <= PAGE_EVENTS:
        raise _Refused(_INVALID, f"limit is {limit} and must be from 1 to {PAGE_EVENTS}")
    last, passed = _position(data.get("nextToken"))
    start = data.get("startTime") if last is None else last
    events: list[dict[str, Any]] = []
    room, skip = PAGE_BYTES, passed
    for event, stream in _merged(_streams(data), start, data.get("endTime")):
        stamp, message = event["timestamp"], event["message"]
        if stamp == last and skip:
            skip -= 1
            continue
        if matches(message):
            room -= len(message.encode()) + 26
            if len(events) == limit or (events and room < 0):
                return json_response({"events": events, "searchedLogStreams": [], "nextToken": f"{last}/{passed}"})
            event.setdefault("eventId", new_uuid())
            events.append({**event, "logStreamName": stream})
        last, passed = stamp, passed + 1 if stamp == last else 1
    return json_response({"events": events, "searchedLogStreams": []})


def _position(token: str | None) -> tuple[int | None, int]:
    """The time of the last event that was looked at, and how many of that time were."""
    if token is None:
        return None, 0
    stamp, _, passed = token.partition("/")
    if not (stamp.isdecimal() and passed.isdecimal()):
        raise _Refused(_INVALID, "The specified nextToken is invalid.")
    return int(stamp), int(passed)


def _streams(data: dict[str, Any]) -> dict[str, Any]:
    """The streams to look through, by name."""
    from ministack.services import cloudwatch_logs as logs

    group = logs._resolve_log_group_name(data)
    if group not in logs._log_groups:
        raise _Refused("ResourceNotFoundException", f"The specified log group does not exist: {group}")
    streams, names, prefix = (
        logs._log_groups[group]["streams"],
        data.get("logStreamNames"),
        data.get("logStreamNamePrefix"),
    )
    if names and prefix:
        raise _Refused(_INVALID, "Parameters 'logStreamNames' and 'logStreamNamePrefix' cannot be used together.")
    if missing := set(names or ()) - set(streams):
        raise _Refused("ResourceNotFoundException", f"The specified log stream does not exist: {min(missing)}")
    return {name: streams[name] for name in names or streams if name.startswith(prefix or "")}


def _merged(streams: dict[str, Any], start: int | None, end: int | None) -> Iterator[tuple[dict[str, Any], str]]:
    from ministack.services import cloudwatch_logs as logs

    ranges = []
    with logs._log_events_lock:
        for name, stream in streams.items():
            history, key = stream["events"], logs._event_timestamp
            first = 0 if start is None else bisect_left(history, start, key=key)
            beyond = len(history) if end is None else bisect_right(history, end, key=key)
            ranges.append([(event, name) for event in history[first:beyond]])
    return heapq.merge(*ranges, key=lambda entry: (entry[0]["timestamp"], entry[0].get("ingestionTime", 0)))
