"""Requests and their answers as capture files: SageMaker's lines, under SageMaker's layout of keys.

They lie under a variant of their own, `demo`, beside those of the variants that serve, so that whoever sees a file, its
key or a record of it in a report can tell what it is.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Sequence
from itertools import groupby

import orjson

from include.scones.demo.traffic import Request

VARIANT = "demo"
_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "scones-demo")

Answered = tuple[Request, Sequence[float]]


def line(request: Request, answer: Sequence[float]) -> bytes:
    """One captured request, its members in SageMaker's order; the same request always has the same event id."""
    event = {"eventId": str(uuid.uuid5(_NAMES, request.inference_id)), "inferenceId": request.inference_id}
    return orjson.dumps(
        {
            "captureData": {
                "endpointInput": {
                    "observedContentType": request.content_type,
                    "mode": "INPUT",
                    "data": base64.b64encode(request.body).decode(),
                    "encoding": "BASE64",
                },
                "endpointOutput": {
                    "observedContentType": "application/json",
                    "mode": "OUTPUT",
                    "data": orjson.dumps(answer).decode(),
                    "encoding": "JSON",
                },
            },
            "eventMetadata": event | {"inferenceTime": f"{request.time:%Y-%m-%dT%H:%M:%SZ}"},
            "eventVersion": "0",
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def files(prefix: str, answered: Iterable[Answered]) -> dict[str, bytes]:
    """A file for each hour, named by its first record's time, below `prefix` (that of the endpoint's captures).

    The same requests always give the same keys, so that writing them again replaces them.
    """
    found = {}
    by_time = sorted(answered, key=lambda pair: pair[0].time)
    for hour, of_hour in groupby(by_time, lambda pair: f"{pair[0].time:%Y/%m/%d/%H}"):
        records = list(of_hour)
        name = f"{records[0][0].time:%M-%S}-000-{uuid.uuid5(_NAMES, hour)}.jsonl"
        found[f"{prefix}/{VARIANT}/{hour}/{name}"] = b"".join(line(*record) for record in records)
    return found
