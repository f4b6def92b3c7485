"""The table of `make aws-check`: each row looks at one thing, and one that cannot be looked at says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from include.launcher.aws_check import prices, quotas, rights
from include.launcher.aws_check.actions import ACTIONS, BATCH_ACTIONS, Right
from include.launcher.identities import principal_of
from include.scones.aws import buckets, clients
from include.scones.errors import BucketError
from include.scones.settings import Settings

# An endpoint's update brings its new instance up beside the old one.
ENDPOINT_INSTANCES = 2
# What a batch.yaml without a setting of its own uses at most.
BATCH_VCPUS = 16
_QUICK = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})


@dataclass(frozen=True)
class Row:
    """What was looked at and what was seen; `good` is None where nobody knows, False where a run will fail by it."""

    what: str
    seen: str
    good: bool | None = True


def rows(here: Settings) -> Iterator[Row]:
    """Look, row by row; nothing is made or changed."""
    yield Row("account", here.account)
    yield Row("region", here.region)
    caller = str(clients.connect("sts").get_caller_identity()["Arn"])
    yield Row("caller", caller)
    yield _asked("rights", partial(_rights, here, caller, ACTIONS))
    yield _asked("rights for make batch-image", partial(_rights, here, caller, BATCH_ACTIONS, needed=False))
    client = clients.connect("service-quotas", here.region, _QUICK)
    yield _asked("quota of training", partial(quota, client, quotas.training(here.training_instance), 1))
    yield _asked(
        "quota of endpoints", partial(quota, client, quotas.endpoint(here.endpoint_instance), ENDPOINT_INSTANCES)
    )
    yield _asked("quota of Fargate vCPUs, for batch_inference", partial(fargate, client))
    yield _asked("bucket", partial(_bucket, here))
    yield Row("an hour, as long as the endpoint is there", prices.an_hour(here.region, here.endpoint_instance))
    yield Row("a run", prices.a_run(here.region, here.training_instance))


def _asked(what: str, look: Callable[[], tuple[str, bool | None]]) -> Row:
    try:
        return Row(what, *look())
    except (BotoCoreError, ClientError) as error:
        return Row(what, f"cannot be asked: {error}", None)


def _rights(here: Settings, caller: str, allowed: tuple[Right, ...], needed: bool = True) -> tuple[str, bool | None]:
    principal = principal_of(caller)
    if principal is None or principal.endswith(":root"):
        return "cannot be asked for this caller: IAM simulates users and roles", None
    denied = rights.missing(here, principal, allowed)
    return (f"missing: {', '.join(denied)}", False if needed else None) if denied else ("none missing", True)


def quota(client: BaseClient, name: str, needed: int) -> tuple[str, bool | None]:
    value = quotas.values(client, "sagemaker", {name}).get(name)
    if value is None:
        return f"Service Quotas knows no {name!r}", None
    seen = f"{value:.0f} {name}, {needed} needed"
    return (seen, True) if value >= needed else (f"{seen}: ask for more in Service Quotas, SageMaker", False)


def fargate(client: BaseClient) -> tuple[str, bool | None]:
    value = quotas.values(client, "fargate", {quotas.FARGATE}).get(quotas.FARGATE)
    if value is None:
        return f"Service Quotas knows no {quotas.FARGATE!r}", None
    enough = value >= BATCH_VCPUS
    return f"{value:.0f}; jobs use up to {BATCH_VCPUS}{'' if enough else ', and wait for each other'}", enough or None


def _bucket(here: Settings) -> tuple[str, bool | None]:
    try:
        ours = buckets.exists(here)
    except BucketError as error:
        return str(error), False
    return f"{here.bucket} {'is there, and ours' if ours else 'is free, and will be made'}", True
