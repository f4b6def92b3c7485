"""What can be wrong with a captured line, or with a part of one."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """Why a line is no record, or what is missing from one. `kind` is one of KINDS."""

    kind: str
    detail: str


KINDS = {
    "line-too-long": "line longer than any capture can be",
    "not-json": "not JSON",
    "not-a-capture": "JSON, but not a capture record",
    "no-time": "no inference time that can be read",
    "stray": "time far from that of its file, in no report's reach",
    "no-event-id": "no event id, so that repeats cannot be told",
    "encoding": "unknown encoding",
    "base64": "not the base64 it says it is",
    "answer": "answer that is not a list of probabilities",
    "unreadable-object": "object that cannot be read",
    "undecodable-image": "image that cannot be decoded",
}


class RefusedError(Exception):
    """A part of a line that cannot be read."""

    def __init__(self, kind: str, detail: object) -> None:
        super().__init__(kind)
        self.problem = Problem(kind, str(detail)[:200])
