"""Makes the local cloud's conformance table of what its tests called: `python -m tests.conformance_table FOLDER`.

FOLDER has what the clouds wrote down. An operation that the local cloud claims and that no test called to its good end
fails. With `--write` the table is printed and put into the README, and a known difference that was not seen fails too.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.local_cloud import claims
from tests.conformance import KNOWN

README = Path(claims.__file__).with_name("README.md")
BEGIN, END = "<!-- operations -->", "<!-- /operations -->"
OWN = tuple(claims.OPERATIONS)
Operation = tuple[str, str]


def called(folder: Path) -> tuple[dict[Operation, set[str]], set[tuple[str, str, str]]]:
    """The clients that called each operation to its good end, and the differences that were seen."""
    clients: dict[Operation, set[str]] = {}
    seen = set()
    for line in _lines(folder):
        operation = line["service"], line["operation"]
        seen |= {(*operation, difference) for difference in line.get("differences", ())}
        if line["operation"] and line["client"] and line["status"] < 300:
            clients.setdefault(operation, set()).add(line["client"])
    return clients, seen


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            if line.endswith("}"):  # a cloud that was killed may have left half a line
                yield json.loads(line)


def claimed() -> set[Operation]:
    return {(service, name) for service, names in claims.OPERATIONS.items() for name in names}


def remarks() -> dict[Operation, list[str]]:
    """What is known to differ of an operation."""
    rows = tomllib.loads(KNOWN.read_text())
    found: dict[Operation, list[str]] = {}
    for row in rows["note"]:
        found.setdefault((row["service"], row["operation"]), []).append(row["note"])
    for row in rows["difference"]:
        told = f"`{row['difference'].replace('|', '')}`: {row['reason']}"
        found.setdefault((row["service"], row["operation"]), []).append(told)
    return found


def table(clients: dict[Operation, set[str]]) -> str:
    """Markdown, with the marks that it stands between; this project's own services come first."""
    known = remarks()
    rank = {service: place for place, service in enumerate(OWN)}
    operations = sorted({*clients, *claimed()}, key=lambda each: (rank.get(each[0], len(rank)), each))
    rows = [
        f"| {service} | `{name}` | {', '.join(sorted(clients.get((service, name), ())))} "
        f"| {'; '.join(known.get((service, name), []))} |"
        for service, name in operations
    ]
    head = ["| service | operation | called by | known differences |", "| --- | --- | --- | --- |"]
    return "\n".join([BEGIN, *head, *rows, END])


def shown() -> str:
    """The README's table."""
    found = re.search(f"{BEGIN}.*{END}", README.read_text(), re.DOTALL)
    return found[0] if found else ""


def rows(text: str) -> dict[Operation, str]:
    """The clients that a table names for each operation."""
    found = re.findall(r"^\| ([\w-]+) \| `(\w+)` \| ([^|]*) \|", text, re.MULTILINE)
    return {(service, name): clients.strip() for service, name, clients in found}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    clients, seen = called(given.folder)
    wrong = [f"no test calls {service} {name}, which is claimed" for service, name in sorted(claimed() - set(clients))]
    if given.write:
        listed = tomllib.loads(KNOWN.read_text())["difference"]
        known = {(row["service"], row["operation"], row["difference"]) for row in listed}
        wrong += [f"{' '.join(each)}: not seen any more, take it out of {KNOWN.name}" for each in sorted(known - seen)]
        made = table(clients)
        sys.stdout.write(made + "\n")
        README.write_text(README.read_text().replace(shown(), made))
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
