"""notifyFailures: tells the alerts' subscribers of failed executions, one readable message a batch.

Whoever starts an execution chooses its input, and with it much of its cause. Such words are quoted as not ours, cut,
and written in printable ASCII, newlines as `\\n`. Mail programs make links of addresses such as `https://a.example/b`,
`a.example` and `me@a.example`: every dot, colon and @ inside a word is put in brackets, so that none is left that they
would know, as in `https[:]//a[.]example/b`.
"""

from __future__ import annotations

import functools
import json
import logging
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
CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
# A number that is a word of its own, which stays as it is, or what makes an address of its neighbours.
LINKING = re.compile(r"(?<!\S)\d+\.\d+(?!\S)|(?<=\S)[.:@](?=\S)")


log = logging.getLogger(__name__)


@functools.cache
def client(service: str) -> BaseClient:
    return boto3.client(service, config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard"}))


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Returns the records that it could not make sense of, which SQS then hands over again without the others."""
    blocks: list[str] = []
    lost, machine = [], ""
    for record in event["Records"]:
        try:
            failure = json.loads(record["body"])["detail"]
            machine = printable(failure["stateMachineArn"].rsplit(":", 1)[1])[:60]
            blocks.append(told(failure) if len(blocks) < NAMED else "")
        except Exception:  # whatever is wrong with one, the others are told
            log.exception("record %s cannot be told", record["messageId"])
            lost.append({"itemIdentifier": record["messageId"]})
    if blocks:
        tell(machine, blocks)
    return {"batchItemFailures": lost}


def tell(machine: str, blocks: list[str]) -> None:
    rest = [f"... and {len(blocks) - NAMED} more"] if len(blocks) > NAMED else []
    subject = f"{machine}: {len(blocks)} failed execution{'s' if len(blocks) > 1 else ''}"
    message = "\n\n".join(blocks[:NAMED] + rest)
    client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Subject=subject, Message=message)


def told(failure: dict[str, Any]) -> str:
    """One failed execution: how it ended, where to look, and what it says itself of its image and cause."""
    arn = failure["executionArn"]
    execution = client("stepfunctions").describe_execution(executionArn=arn)
    return "\n".join(
        [
            f"{execution['status']}: {console(arn)}",
            "In the execution's own words:",
            f"> image: {own_words(image(execution))}",
            f"> cause: {own_words(cause(execution))}",
        ]
    )


def console(arn: str) -> str:
    """The address of the execution's page."""
    _, partition, _, region, *_ = arn.split(":")
    page = f"states/home?region={region}#/v2/executions/details/{quote(arn, safe=':')}"
    return f"https://{region}.{CONSOLES[partition]}/{page}"


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
