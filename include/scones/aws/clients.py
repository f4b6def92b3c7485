"""The one place where clients of AWS are made, with how long each waits and how often it tries."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

DEFAULT = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})


def connect(service: str, region: str | None = None, config: Config | None = None) -> Any:
    """A client of `service`, wherever the AWS environment points; `config` goes before the default, name by name."""
    return boto3.client(service, region_name=region, config=DEFAULT.merge(config) if config else DEFAULT)
