"""Deletes the models and endpoint configs of runs long past."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from include.scones.aws import clients
from include.scones.aws.missing import is_missing
from include.scones.settings import Settings
from include.scones.teardown.resources import owned
from include.scones.teardown.sagemaker import tags

KEEP = 3


def prune(settings: Settings, keep: int = KEEP) -> list[str]:
    """Delete the project's models and endpoint configs but the last `keep` and the one in service; say which."""
    client = clients.connect("sagemaker")
    serving = client.describe_endpoint(EndpointName=settings.endpoint)["EndpointConfigName"]
    removed, prefix = [], f"{settings.project}-"
    for member, operation, delete in (
        ("EndpointConfig", "list_endpoint_configs", client.delete_endpoint_config),
        ("Model", "list_models", client.delete_model),
    ):
        pages = client.get_paginator(operation).paginate(
            NameContains=prefix, SortBy="CreationTime", SortOrder="Descending"
        )
        found = {item[f"{member}Name"]: item[f"{member}Arn"] for page in pages for item in page[f"{member}s"]}
        # Another project's name can begin with this one's; the tags tell them apart.
        names = [
            n for n, arn in found.items() if n.startswith(prefix) and owned(settings, member, n, tags(client, arn))
        ]
        for name in names[keep:]:
            if name != serving and _delete(delete, {f"{member}Name": name}):
                removed.append(name)
    return removed


def _delete(delete: Any, arguments: dict[str, str]) -> bool:
    try:
        delete(**arguments)
    except ClientError as error:
        if not is_missing(error):
            raise
        return False
    return True
