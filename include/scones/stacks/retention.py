"""How long the logs of SageMaker's own groups are kept: the service makes them for ever, and no stack can adopt one."""

from __future__ import annotations

from include.scones.aws import clients
from include.scones.log_groups import TRAINING_JOBS, endpoint_group
from include.scones.settings import Settings


def keep_logs(settings: Settings, days: int) -> None:
    """Have the endpoint's logs kept for `days`, and those of training jobs where the account has no group of them yet.

    All of an account's training jobs write to one group: one that is there may be others' too, and is left as it is.
    """
    logs = clients.connect("logs", settings.region)
    own = endpoint_group(settings)
    for name in (own, TRAINING_JOBS):
        try:
            logs.create_log_group(logGroupName=name)
        except logs.exceptions.ResourceAlreadyExistsException:
            if name != own:
                continue
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
