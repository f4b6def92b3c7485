"""Starts executions of the inference workflow, once each however often asked, judges their ends and tabulates them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

from botocore.client import BaseClient

from include.scones.aws import clients
from include.scones.errors import ExecutionError, UnfinishedError

TERMINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})
NAME_LIMIT = 80
# The error's name is lost where functions do not run in AWS's own runtime; the message's prefix never is.
REFUSAL = "ThresholdConfidenceNotMet"
REFUSAL_PREFIX = "THRESHOLD_CONFIDENCE_NOT_MET: "
COLUMNS = ("image", "true_class", "predicted_class", "confidence", "outcome")


def execution_name(run_id: str, case: dict[str, Any]) -> str:
    """A name for one image in one DAG run: readable, unique by a hash, of Step Functions' characters and length."""
    key = case["event"]["s3_key"]
    digest = hashlib.sha256(f"{run_id}\n{key}".encode()).hexdigest()[:12]
    readable = re.sub(r"[^0-9A-Za-z_-]+", "-", f"{run_id}-{key}").strip("-")
    return f"{readable[: NAME_LIMIT - 13]}-{digest}"


def start_execution(state_machine_arn: str, name: str, event: dict[str, Any], client: BaseClient | None = None) -> str:
    """Start an execution, or find the one of that name, and return its ARN.

    An execution that ended by itself is not repeated; one that broke is: its successor is called `<name>-2` and so on.
    """
    states = client or clients.connect("stepfunctions")
    attempt = 1
    while True:
        attempt_name = name if attempt == 1 else f"{name[: NAME_LIMIT - 4]}-{attempt}"
        try:
            started = states.start_execution(
                stateMachineArn=state_machine_arn, name=attempt_name, input=json.dumps(event)
            )
            return str(started["executionArn"])
        except states.exceptions.ExecutionAlreadyExists:
            arn = f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{attempt_name}"
            if outcome(describe(arn, states)) != "failed":
                return arn
        attempt += 1


def describe(execution_arn: str, client: BaseClient | None = None) -> dict[str, Any]:
    description: dict[str, Any] = (client or clients.connect("stepfunctions")).describe_execution(
        executionArn=execution_arn
    )
    return description


def find(execution_arn: str, event: dict[str, Any]) -> dict[str, Any]:
    """Describe an execution; one that is gone, as with a cloud that was killed, is started again under its name."""
    states = clients.connect("stepfunctions")
    try:
        return describe(execution_arn, states)
    except states.exceptions.ExecutionDoesNotExist:
        machine, name = execution_arn.replace(":execution:", ":stateMachine:").rsplit(":", 1)
        return describe(start_execution(machine, name, event, states), states)


def has_ended(description: dict[str, Any]) -> bool:
    return description["status"] in TERMINAL


def outcome(description: dict[str, Any]) -> str:
    """`running`, `accepted`, `refused` (not sure enough, as it should be) or `failed`."""
    status = description["status"]
    if status == "SUCCEEDED":
        return "accepted"
    if not has_ended(description):
        return "running"
    refused = description.get("error") == REFUSAL or message(description).startswith(REFUSAL_PREFIX)
    return "refused" if status == "FAILED" and refused else "failed"


def judge(case: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    """One row of the summary, from a test case and the description of its execution once that has ended.

    Raises:
        UnfinishedError: the execution is still running.
    """
    result = outcome(description)
    if result == "running":
        raise UnfinishedError(f"{description['executionArn']} is still {description['status']}: wait for its end")
    inferences = probabilities(description, result)
    confidence = max(inferences, default=None)
    return {
        "image": case["event"]["s3_key"],
        "true_class": case["true_class"],
        "predicted_class": None if confidence is None else case["classes"][inferences.index(confidence)],
        "confidence": confidence,
        "outcome": result,
        "cause": "" if result == "accepted" else cause(description),
    }


def probabilities(description: dict[str, Any], result: str) -> list[float]:
    """What the endpoint answered; a refusal carries it in its message, a failure may have come before any answer."""
    if result == "accepted":
        inferences: list[float] = json.loads(description["output"])["inferences"]
        return inferences
    found = re.search(r"; inferences (\[[^]]*\])$", message(description)) if result == "refused" else None
    return [float(value) for value in json.loads(found[1])] if found else []


def message(description: dict[str, Any]) -> str:
    """The exception's own message: Lambda wraps it as JSON in the cause."""
    text: str = description.get("cause") or ""
    try:
        content = json.loads(text)
    except ValueError:
        return text
    return str(content.get("errorMessage", text)) if isinstance(content, dict) else text


def cause(description: dict[str, Any]) -> str:
    if description["status"] != "FAILED":
        return ": ".join(filter(None, (description["status"], description.get("error"), message(description))))
    return message(description) or description.get("error") or "no cause given"


def summarise(rows: list[dict[str, Any]]) -> str:
    """A table that reads well in a terminal and as Markdown, the causes of failures, and a count of the outcomes."""
    table = [COLUMNS, *(tuple(cell(row[column]) for column in COLUMNS) for row in rows)]
    widths = [max(len(line[place]) for line in table) for place in range(len(COLUMNS))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    lines += ["", *(f"- {row['image']} failed: {row['cause']}" for row in rows if row["outcome"] == "failed")]
    return "\n".join([*lines, tally(rows)])


def raise_failures(rows: list[dict[str, Any]]) -> None:
    """Raise ExecutionError if an execution failed for another reason than low confidence."""
    failed = [row for row in rows if row["outcome"] == "failed"]
    if failed:
        causes = "; ".join(f"{row['image']}: {row['cause']}" for row in failed)
        raise ExecutionError(f"{len(failed)} of {len(rows)} executions failed: {causes}")


def tally(rows: list[dict[str, Any]]) -> str:
    counts = Counter(row["outcome"] for row in rows)
    answered = [row for row in rows if row["predicted_class"] is not None]
    right = sum(row["predicted_class"] == row["true_class"] for row in answered)
    return (
        f"{len(rows)} executions: {counts['accepted']} accepted, {counts['refused']} refused, {counts['failed']} failed"
        f"; {right} of {len(answered)} answers name the true class."
    )


def cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value).replace("|", "\\|")
