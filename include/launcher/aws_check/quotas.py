"""How many instances and vCPUs an account may use at once, by the names that Service Quotas has for them."""

from __future__ import annotations

from botocore.client import BaseClient

FARGATE = "Fargate On-Demand vCPU resource count"


def training(instance: str) -> str:
    return f"{instance} for training job usage"


def endpoint(instance: str) -> str:
    return f"{instance} for endpoint usage"


def values(client: BaseClient, service: str, names: set[str]) -> dict[str, float]:
    """The applied values of these quotas; AWS's defaults for those that the account has no value of its own for."""
    found: dict[str, float] = {}
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            own = {quota["QuotaName"]: quota["Value"] for quota in page["Quotas"] if quota["QuotaName"] in names}
            found = own | found
            if names <= set(found):
                return found
    return found
