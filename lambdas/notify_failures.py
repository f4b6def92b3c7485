"""notifyFailures: tells the alerts' subscribers of failed executions, one readable message a batch."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config

# A message names so many executions and counts the rest: a flood of failures must not become a flood of text.
NAMED = 10


@functools.cache
def client(service: str) -> BaseClient:
    return boto3.client(service, config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard"}))


def lambda_handler(event: dict[str, Any], context: object) -> None:
    failures = [json.loads(record["body"])["detail"] for record in event["Records"]]
    blocks = [told(failure) for failure in failures[:NAMED]]
    if len(failures) > NAMED:
        blocks.append(f"... and {len(failures) - NAMED} more")
    machine = failures[0]["stateMachineArn"].rsplit(":", 1)[1]
    subject = f"{machine}: {len(failures)} failed execution{'s' if len(failures) > 1 else ''}"
    client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Subject=subject[:100], Message="\n\n".join(blocks))


def told(failure: dict[str, Any]) -> str:
    """One failed execution: its image, what happened to it, and where to look."""
    arn = failure["executionArn"]
    execution = client("stepfunctions").describe_execution(executionArn=arn)
    workflow = json.loads(execution["input"])
    region = arn.split(":")[3]
    return "\n".join(
        [
            f"s3://{workflow.get('s3_bucket')}/{workflow.get('s3_key')}: {execution['status']}",
            reason(execution),
            f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{arn}",
        ]
    )


def reason(execution: dict[str, Any]) -> str:
    cause = execution.get("cause") or execution.get("error") or "no cause given"
    try:
        content = json.loads(cause)
    except ValueError:
        return str(cause)
    return str(content.get("errorMessage", cause)) if isinstance(content, dict) else str(cause)
