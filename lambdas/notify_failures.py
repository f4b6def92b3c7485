"""notifyFailures: tells the alerts' subscribers of failed executions, one readable message a batch.

Whoever starts an execution chooses its input, and with it much of its cause. Such words are quoted as not ours, cut,
and written in printable ASCII, newlines as `\\n`. Mail programs make links of addresses such as `https://a.example/b`,
`a.example` and `me@a.example`: every dot, colon and @ inside a word is put in brackets, so that none is left that they
would know, as in `https[:]//a[.]example/b`.
"""

from __future__ import annotations

import functools
import json
import os
import re
from typing import Any
from urllib.parse import quote

import boto3
from botocore.client import BaseClient
from botocore.config import Config

# A message names so many executions and counts the rest: a flood of failures must not become a flood of text.
NAMED = 10
LONGEST = 500  # characters of what an execution says
# A number that is a word of its own, which stays as it is, or what makes an address of its neighbours.
LINKING = re.compile(r"(?<!\S)\d+\.\d+(?!\S)|(?<=\S)[.:@](?=\S)")


@functools.cache
def client(service: str) -> BaseClient:
    return boto3.client(service, config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard"}))


def lambda_handler(event: dict[str, Any], context: object) -> None:
    failures = [json.loads(record["body"])["detail"] for record in event["Records"]]
    blocks = [told(failure) for failure in failures[:NAMED]]
    if len(failures) > NAMED:
        blocks.append(f"... and {len(failures) - NAMED} more")
    machine = printable(failures[0]["stateMachineArn"].rsplit(":", 1)[1])[:60]
    subject = f"{machine}: {len(failures)} failed execution{'s' if len(failures) > 1 else ''}"
    client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Subject=subject, Message="\n\n".join(blocks))


def told(failure: dict[str, Any]) -> str:
    """One failed execution: how it ended, where to look, and what it says itself of its image and cause."""
    arn = failure["executionArn"]
    execution = client("stepfunctions").describe_execution(executionArn=arn)
    region = arn.split(":")[3]
    return "\n".join(
        [
            f"{execution['status']}: https://{region}.console.aws.amazon.com/states/home?region={region}"
            f"#/v2/executions/details/{quote(arn, safe=':')}",
            "In the execution's own words:",
            f"> image: {own_words(image(execution))}",
            f"> cause: {own_words(cause(execution))}",
        ]
    )


def image(execution: dict[str, Any]) -> str:
    names = [members(execution.get("input")).get(name) for name in ("s3_bucket", "s3_key")]
    return "s3://" + "/".join(name if isinstance(name, str) else "(not a text)" for name in names)


def cause(execution: dict[str, Any]) -> str:
    """A Lambda function's error is JSON that holds the message."""
    text = str(execution.get("cause") or execution.get("error") or "none given")
    message = members(text).get("errorMessage")
    return message if isinstance(message, str) else text


def members(text: str | None) -> dict[str, Any]:
    """Those of a JSON object; none if it is anything else."""
    try:
        content = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def own_words(text: str) -> str:
    found = LINKING.sub(
        lambda part: part[0] if part[0][0].isdigit() else f"[{part[0]}]", printable(text[: LONGEST + 1])
    )
    return found if len(found) <= LONGEST else f"{found[:LONGEST]} (cut)"


def printable(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")
