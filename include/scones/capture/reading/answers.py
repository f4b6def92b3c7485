"""An endpoint's captured answer as probabilities: JSON, JSON Lines or CSV, as text or as base64."""

from __future__ import annotations

import binascii
import csv
import math
from typing import Any

import orjson

from include.scones.capture.reading.problems import RefusedError
from include.scones.capture.reading.texts import bytes_of, text_of

# Bytes: ten thousand classes take less.
LONGEST_ANSWER = 1 << 18


def probabilities_of(output: Any) -> list[float]:
    if not isinstance(output, dict):
        raise RefusedError("answer", f"endpointOutput is {output!r}")
    encoding, data = text_of(output.get("encoding")), bytes_of(output.get("data"))
    if data is None:
        raise RefusedError("answer", f"data is {output.get('data')!r}")
    if encoding == "BASE64":
        try:
            data = binascii.a2b_base64(data, strict_mode=True)
        except ValueError as error:
            raise RefusedError("base64", error) from error
    elif encoding not in {"JSON", "CSV"}:
        raise RefusedError("encoding", f"output encoding {output.get('encoding')!r}")
    if len(data) > LONGEST_ANSWER:
        raise RefusedError("answer", f"{len(data)} bytes are more than the {LONGEST_ANSWER} of any classifier's")
    kind = str(output.get("observedContentType", "")).partition(";")[0].strip().lower()
    values = _csv(data) if encoding == "CSV" or kind == "text/csv" else _json(data)
    return _checked(values)


def _json(data: bytes) -> Any:
    """`[...]`, or `{"prediction": [...]}` as JSON Lines answers have it, one line for one image."""
    try:
        value = orjson.loads(data)
    except (ValueError, RecursionError) as error:
        if len(data.split(b"\n")) > 1:
            raise RefusedError("answer", "more than one line in the answer") from error
        raise RefusedError("answer", f"{data[:100]!r} is not JSON") from error
    return value.get("prediction") if isinstance(value, dict) else value


def _csv(data: bytes) -> list[float]:
    try:
        rows = [row for row in csv.reader(data.decode().splitlines()) if row]
        (row,) = rows
        return [float(cell) for cell in row]
    except (ValueError, csv.Error) as error:
        raise RefusedError("answer", f"{data[:100]!r} is not one line of numbers") from error


def _checked(values: Any) -> list[float]:
    """Raises RefusedError unless these are probabilities: at least one number, all in [0, 1]."""
    if not isinstance(values, list) or not values:
        raise RefusedError("answer", f"{str(values)[:100]} is no list of probabilities")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1 or math.isnan(value):
            raise RefusedError("answer", f"{str(value)[:100]!r} is no probability")
    return [float(value) for value in values]
