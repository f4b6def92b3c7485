"""What the tests' local clouds write down of each request: a test fails for an answer that AWS's model does not have.

Where CONFORMANCE_RECORDS names a folder the lines are kept there, for the table that tests/conformance_table.py makes.
"""

from __future__ import annotations

import json
import os
import tomllib
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import pytest

RECORDS = "CONFORMANCE_RECORDS"
KNOWN = Path(__file__).with_name("known_differences.toml")
FILE = "requests.jsonl"
_read: dict[Path, int] = {}


def record(data: Path) -> None:
    """Have the cloud over `data` write down its requests."""
    file = data / FILE
    if file.exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    if folder := os.environ.get(RECORDS):
        kept = Path(folder).resolve() / f"{uuid.uuid4().hex}.jsonl"
        kept.touch()
        file.symlink_to(kept)
    else:
        file.touch()
    _read[file] = 0


@cache
def known() -> dict[tuple[str, str], list[dict[str, str]]]:
    """The differences that stay, by service and operation."""
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in tomllib.loads(KNOWN.read_text())["difference"]:
        found.setdefault((row["service"], row["operation"]), []).append(row)
    return found


def is_known(service: str, operation: str, difference: str) -> bool:
    rows = [*known().get((service, operation), []), *known().get((service, "*"), [])]
    return any(difference == row["difference"] for row in rows)


def strange(line: dict[str, Any]) -> list[str]:
    """A sentence for each difference of a line that is not known."""
    service, operation = line["service"], line["operation"]
    found = [each for each in line.get("differences", ()) if not is_known(service, operation, each)]
    return [f"{service} {operation} ({line['status']}): {each}" for each in found]


def hold() -> None:
    """Fail for what the clouds of this process wrote down since the last time."""
    found: dict[str, None] = {}
    for file in [file for file in _read if file.exists()]:
        with file.open("rb") as lines:
            lines.seek(_read[file])
            new = lines.read()
        whole = new.rpartition(b"\n")[0]
        _read[file] += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            if b'"differences": ["' in line:
                found.update(dict.fromkeys(strange(json.loads(line))))
    if found:
        pytest.fail("\n".join(["AWS's model has no such requests or answers:", *found]), pytrace=False)
