"""Subscribes a person or a program to the alerts of the stack's alarms."""

from __future__ import annotations

import re

from botocore.client import BaseClient

from include.scones.aws import clients
from include.scones.errors import StackError


def subscribe(topic_arn: str, address: str, client: BaseClient | None = None) -> bool:
    """Have SNS ask `address` to confirm that it wants the alerts; False when it was asked before.

    Raises:
        StackError: the address is neither an e-mail nor an `https://` address.
    """
    protocol = protocol_of(address)
    sns = client or clients.connect("sns")
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    if any(known["Endpoint"] == address for page in pages for known in page["Subscriptions"]):
        return False
    sns.subscribe(TopicArn=topic_arn, Protocol=protocol, Endpoint=address)
    return True


def protocol_of(address: str) -> str:
    if re.fullmatch(r"https://\S+", address):
        return "https"
    if re.fullmatch(r"[^@\s:/]+@[^@\s:/]+", address):
        return "email"
    raise StackError(f"alerts cannot go to {address!r}: set SCONES_ALERTS to an e-mail address or an https:// address")
