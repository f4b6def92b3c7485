"""What the two data files of a report hold: the columns of `records.parquet`, and how `summary.json` is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from xxhash import xxh3_128_digest

# Tells inputs apart, at a sixteenth of the cost of SHA-256. It is no seal: who takes the trouble can make two inputs
# that it takes for one, and gets a wrong count in the report of their own requests.
DIGEST = 16
input_digest = xxh3_128_digest

NAMES = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("time", pa.timestamp("us", tz="UTC")),
        ("event_id", pa.string()),
        ("inference_id", pa.string()),
        ("confidence", pa.float64()),
        ("predicted", pa.int32()),
        ("probabilities", pa.list_(pa.float64())),
        ("answered", pa.bool_()),
        ("input_type", NAMES),
        ("input_bytes", pa.int64()),
        ("input_xxh128", pa.binary(DIGEST)),
        ("problem", NAMES),
        ("variant", NAMES),
        ("file", NAMES),
        ("line", pa.int64()),
    ]
)
# The true class, where it is known; the last column.
LABEL = pa.field("label", pa.int32())

# Of `summary.json`: raised when the meaning of a field changes, so that older ones are not compared with.
FORMAT = 2


def member(summary: Any, names: Sequence[str]) -> Any:
    """The value of a summary that the names lead to, one inside the other.

    None where it has none, as a summary has that was written before the member was thought of.
    """
    for name in names:
        summary = summary.get(name) if isinstance(summary, dict) else None
    return summary
