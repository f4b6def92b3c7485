"""Asks pip-audit what is known against the locked packages, and tells what is clean from what nobody could judge.

pip-audit ends well where a source of advisories does not know a package. Here that is a failure of its own: the exit
status is 0 where every package was checked and nothing is known, 1 where something is, and 3 where some could not be
checked. PyPI is asked first, then OSV for what is left; pip-audit's own variables PIP_AUDIT_VULNERABILITY_SERVICE and
PIP_AUDIT_OSV_URL name another source.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CLEAN, VULNERABLE, NOT_CHECKED = 0, 1, 3

Pin = tuple[str, str]


def main() -> int:
    holders = locked()
    chosen = os.environ.get("PIP_AUDIT_VULNERABILITY_SERVICE")
    answers, reasons = check(set(holders), [chosen] if chosen else ["pypi", "osv"])
    known = {pin: found for pin, found in answers.items() if found}
    for pin, found in sorted(known.items()):
        say(f"VULNERABLE {' '.join(pin)} ({', '.join(holders[pin])}): {'; '.join(map(described, found))}")
    unknown = sorted(set(holders) - set(answers))
    if unknown and answers:
        say(f"NOT CHECKED {', '.join(map('=='.join, unknown))}")
    if unknown:
        said = "; ".join(f"{source} said: {reason}" for source, reason in reasons.items())
        say(f"{len(unknown)} packages could not be checked, which does not mean that they are clean: {said}")
        say("Run it where PyPI's or OSV's advisories can be reached.")
    say(f"{len(answers)} of {len(holders)} packages were checked, {len(known)} of them have known vulnerabilities.")
    return VULNERABLE if known else NOT_CHECKED if unknown else CLEAN


def locked() -> dict[Pin, list[str]]:
    """Every version of every package, with the locks that hold it."""
    holders: dict[Pin, list[str]] = {}
    for lock in [*sorted(ROOT.glob("requirements/*.txt")), *sorted(ROOT.glob("include/*/requirements.txt"))]:
        # A build of a version, as in 2.13.0+cpu, has its version's advisories.
        for name, version in re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;+]+)", lock.read_text(), re.MULTILINE):
            holders.setdefault((name, version), []).append(str(lock.relative_to(ROOT)))
    return holders


def check(pins: set[Pin], sources: list[str]) -> tuple[dict[Pin, list[Any]], dict[str, str]]:
    """The vulnerabilities of each package that a source answered for, and why a source did not."""
    answers: dict[Pin, list[Any]] = {}
    reasons: dict[str, str] = {}
    for source in sources:
        for versions in rounds(pins - set(answers)):
            for package in ask(versions, source):
                if "skip_reason" in package:
                    reasons.setdefault(source, package["skip_reason"])
                else:
                    answers[package["name"], versions[package["name"]]] = package["vulns"]
    return answers, reasons


def rounds(pins: set[Pin]) -> list[dict[str, str]]:
    """pip-audit takes one version of a package at a time."""
    found: list[dict[str, str]] = []
    for name, version in sorted(pins):
        free = next((versions for versions in found if name not in versions), None)
        if free is None:
            found.append(free := {})
        free[name] = version
    return found


def ask(versions: dict[str, str], source: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "requirements.txt")
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
        command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", source, "--requirement", str(wanted)]
        command += ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.stdout.startswith("{"):
        answer: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
        return answer
    said = done.stderr.strip().rpartition("\n")[2]
    return [{"name": name, "skip_reason": said} for name in versions]


def described(vulnerability: dict[str, Any]) -> str:
    fixes = vulnerability["fix_versions"]
    return f"{vulnerability['id']}, {'fixed in ' + ' or '.join(fixes) if fixes else 'no fix is known'}"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
