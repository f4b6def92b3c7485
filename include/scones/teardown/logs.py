"""The project's logs: groups of its functions and its endpoint, and its training jobs' streams in a shared group.

Services make log groups by themselves and without tags, so a group counts as the project's by its exact name, unless a
tag says that it is another's.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from include.scones.aws.missing import is_missing
from include.scones.log_groups import TRAINING_JOBS, own_groups
from include.scones.settings import Settings
from include.scones.steps import Step
from include.scones.teardown.resources import TAG, Resource, client, log
from include.scones.teardown.sagemaker import training_jobs

GROUP, STREAM = "log group", "log stream"


def find_groups(settings: Settings, name: str = "") -> list[Resource]:
    logs = client(settings, "logs")
    found = []
    for own in [group for group in own_groups(settings) if group == (name or group)]:
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=own)
        for group in [group for page in pages for group in page["logGroups"] if group["logGroupName"] == own]:
            arn = group["arn"].removesuffix(":*")
            found += _group(settings, own, logs.list_tags_for_resource(resourceArn=arn)["tags"])
    return found


def _group(settings: Settings, name: str, tags: dict[str, str]) -> list[Resource]:
    owner = tags.get(TAG)
    if owner is None:
        return [Resource(GROUP, name, "its exact name; the service that made it sets no tags")]
    if owner == settings.project:
        return [Resource(GROUP, name, f"its exact name and its tag {TAG}={owner}")]
    log.warning("left alone: %s %s has a name of the project's, but its tag %s is %r", GROUP, name, TAG, owner)
    return []


def find_streams(settings: Settings, name: str = "") -> list[Resource]:
    logs = client(settings, "logs")
    return [
        Resource(STREAM, stream, f"it is of training job {job.name}, which has {job.why}")
        for job in training_jobs(settings, name.partition("/")[0])
        for stream in _streams(logs, name or f"{job.name}/")
    ]


def _streams(logs: Any, prefix: str) -> list[str]:
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=TRAINING_JOBS, logStreamNamePrefix=prefix)
    try:
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except ClientError as error:
        if not is_missing(error):
            raise
        return []


def delete_group(settings: Settings, name: str, step: Step) -> None:
    _delete(client(settings, "logs").delete_log_group, logGroupName=name)


def delete_stream(settings: Settings, name: str, step: Step) -> None:
    _delete(client(settings, "logs").delete_log_stream, logGroupName=TRAINING_JOBS, logStreamName=name)


def _delete(call: Any, **arguments: str) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        if not is_missing(error):
            raise
