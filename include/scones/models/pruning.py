"""Deletes the models and endpoint configs of runs long past, and the data sets that nothing kept was trained on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from include.scones.aws import buckets, clients
from include.scones.aws.missing import is_missing
from include.scones.cifar import catalogue
from include.scones.models import history
from include.scones.models.requests import DATASET_TAG
from include.scones.s3_layout import CURRENT_DATASET, DATASETS, dataset_prefix, description_key
from include.scones.settings import Settings
from include.scones.teardown.resources import owned
from include.scones.teardown.sagemaker import tags

KEEP = 3
KEEP_UNUSED = timedelta(days=30)
LISTS = {
    "EndpointConfig": ("list_endpoint_configs", "EndpointConfigs"),
    "Model": ("list_models", "Models"),
    "TrainingJob": ("list_training_jobs", "TrainingJobSummaries"),
}


def prune(settings: Settings, keep: int = KEEP) -> list[str]:
    """Delete the project's models and endpoint configs but the last `keep` made and `keep` served; say which."""
    client = clients.connect("sagemaker")
    serving = client.describe_endpoint(EndpointName=settings.endpoint)["EndpointConfigName"]
    removed = []
    for member, names, delete in (
        ("EndpointConfig", [*find_tagged(settings, "EndpointConfig")], client.delete_endpoint_config),
        ("Model", [*find_tagged(settings, "Model")], client.delete_model),
    ):
        served = [name for name in history.newest_configs(settings) if name in names]
        for name in names:
            if name not in {serving, *names[:keep], *served[:keep]} and _delete(delete, {f"{member}Name": name}):
                removed.append(name)
    return removed


def prune_datasets(settings: Settings, now: datetime, keep: timedelta = KEEP_UNUSED) -> list[str]:
    """Delete the data sets to which nothing was written for so long, and that no kept model nor running job needs.

    The current one stays. Returns the digests of those that are gone.
    """
    bucket, used = settings.bucket, _used_digests(settings)
    s3 = buckets.client(settings.account, settings.region)
    objects: dict[str, list[dict[str, Any]]] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=DATASETS):
        for item in page.get("Contents", []):
            digest, _, name = item["Key"].removeprefix(DATASETS).partition("/")
            if name:
                objects.setdefault(digest, []).append(item)
    old = [
        digest
        for digest, items in objects.items()
        if digest not in used and max(item["LastModified"] for item in items) < now - keep
    ]
    for digest in old:
        # The description first: a data set that lacks images is not to look whole.
        s3.delete_object(Bucket=bucket, Key=description_key(dataset_prefix(digest)))
        buckets.delete_objects(s3, bucket, [{"Key": item["Key"]} for item in objects[digest]])
    return old


def find_tagged(settings: Settings, member: str, **conditions: str) -> dict[str, dict[str, str]]:
    """The tags of the project's resources of a kind of `LISTS`, by their names; the last made first."""
    client, prefix = clients.connect("sagemaker"), f"{settings.project}-"
    operation, result = LISTS[member]
    pages = client.get_paginator(operation).paginate(
        NameContains=prefix, SortBy="CreationTime", SortOrder="Descending", **conditions
    )
    found = {item[f"{member}Name"]: item[f"{member}Arn"] for page in pages for item in page[result]}
    tagged = {name: tags(client, arn) for name, arn in found.items() if name.startswith(prefix)}
    # Another project's name can begin with this one's; the tags tell them apart.
    return {
        name: {tag["Key"]: tag["Value"] for tag in its}
        for name, its in tagged.items()
        if owned(settings, member, name, its)
    }


def _used_digests(settings: Settings) -> set[str]:
    tagged = [
        *find_tagged(settings, "EndpointConfig").values(),
        *find_tagged(settings, "Model").values(),
        *find_tagged(settings, "TrainingJob", StatusEquals="InProgress").values(),
    ]
    pointer = catalogue.read_json(settings.bucket, CURRENT_DATASET)
    current = {pointer["dataset"]["digest"]} if pointer else set()
    return current | {its[DATASET_TAG] for its in tagged if DATASET_TAG in its}


def _delete(delete: Any, arguments: dict[str, str]) -> bool:
    try:
        delete(**arguments)
    except ClientError as error:
        if not is_missing(error):
            raise
        return False
    return True
