"""A run from its folder to its summary: preparing it, listing the images, and merging what the children counted."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from include.scones.aws import buckets, clients
from include.scones.aws.missing import is_missing
from include.scones.batch.classify import OUTCOMES
from include.scones.batch.errors import FolderError, ListingError, ResultError, TooManyErrorsError
from include.scones.batch.job import Job, load, split
from include.scones.inference import executions
from include.scones.s3_layout import BATCH
from include.scones.settings import Settings
from include.scones.steps import to_the_end

_READERS = 16


def prepare(
    settings: Settings,
    run: str,
    folder: str,
    output: str,
    threshold: float,
    classes: list[str],
    owner: str = "",
    date: str = "",
    attempt: str = "",
) -> Job:
    """Write down what the run is to do, and delete what it found out before it was cleared.

    A run of the same logical date takes the place of the one before.

    Args:
        owner: the account of the folder's bucket; the run's own when left empty.
        date: the run's logical date; empty for one without.
        attempt: another one whenever the run begins again.

    Raises:
        FolderError: a folder is no S3 address, or the output is not below `batch/` or is another run's.
    """
    bucket, prefix = split(folder)
    prefix += "" if not prefix or prefix.endswith("/") else "/"  # a neighbour's name may begin the same
    output = (output or f"{BATCH}{run}").strip("/")
    if not f"{output}/".startswith(BATCH) or f"{output}/" == BATCH:
        raise FolderError(f"the output {output!r} is not below {BATCH}: choose a prefix like {BATCH}results")
    job = Job(run, settings.bucket, output, bucket, prefix, settings.endpoint, classes, threshold, owner, date, attempt)
    s3 = buckets.client(settings.account)
    try:
        other = load(s3, job.uri)
    except ClientError as error:
        if not is_missing(error):
            raise
        other = job
    if other.run != run and not (date and other.date == date):
        raise FolderError(f"{job.uri} is of the run {other.run}: choose another output")
    if other is not job:
        _delete_made(s3, other)
    job.store(s3)
    return job


def _delete_made(s3: Any, job: Job) -> None:
    pages = s3.get_paginator("list_objects_v2")
    for prefix in job.made:
        for page in pages.paginate(Bucket=job.bucket, Prefix=prefix):
            buckets.delete_objects(s3, job.bucket, [{"Key": item["Key"]} for item in page.get("Contents", [])])


def list_images(job: Job, state_machine: str, shard_size: int) -> dict[str, int]:
    """Have the folder listed, and wait for its end. Raises `ListingError`."""
    states, wait = clients.connect("stepfunctions"), to_the_end(6 * 3600)
    arn = executions.start_execution(state_machine, job.name, listing(job, shard_size), states)
    while not executions.has_ended(description := executions.describe(arn, states)):
        wait.wait(f"{arn} still lists")
    return read_listing(job, description)


def listing(job: Job, shard_size: int) -> dict[str, Any]:
    """The input of the execution that lists the folder."""
    return {
        "bucket": job.input_bucket,
        "bucket_owner": job.input_owner,
        "prefix": job.input_prefix,
        "output_bucket": job.bucket,
        "output": job.output,
        "shard_size": shard_size,
    }


def read_listing(job: Job, description: dict[str, Any]) -> dict[str, int]:
    """The counts that an execution ended with. Raises `ListingError` when it failed."""
    if description["status"] != "SUCCEEDED":
        raise ListingError(
            f"s3://{job.input_bucket}/{job.input_prefix} cannot be listed: {description.get('error')}:"
            f" {executions.cause(description)}"
        )
    counts: dict[str, int] = json.loads(description["output"])
    return {name: counts[name] for name in ("shards", "images", "not_images", "empty")}


def array(shards: int) -> dict[str, int] | None:
    """The job's array; None for one shard, which AWS Batch does not take as an array."""
    return {"size": shards} if shards > 1 else None


def summarise(job: Job, listed: dict[str, int]) -> dict[str, Any]:
    """Merge what the children counted and store it.

    Raises:
        ResultError: a shard is missing, or not every image is in the results.
    """
    s3 = buckets.client(config=Config(max_pool_connections=_READERS, retries={"mode": "standard"}))

    def read(index: int) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(s3.get_object(Bucket=job.bucket, Key=job.counts(index))["Body"].read())
        except ClientError as error:
            raise ResultError(f"shard {index} has no counts at {job.counts(index)}: run its job again") from error
        if found["run"] != job.name:
            raise ResultError(f"shard {index} was counted by {found['run']}, not by {job.name}: clear the whole run")
        return found

    totals: Counter[str] = Counter({name: 0 for name in ("classified", *OUTCOMES)})
    classes: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    with ThreadPoolExecutor(_READERS) as pool:
        for part in pool.map(read, range(listed["shards"])):
            totals.update({"classified": part["images"], **{name: part[name] for name in OUTCOMES}})
            classes.update(part["classes"])
            errors.update(part["errors"])
    if totals["classified"] != listed["images"]:
        raise ResultError(f"{listed['images']} images were listed and {totals['classified']} are in the results")
    told = asdict(job)
    del told["attempt"]  # the same run gives the same summary
    summary = {**told, **listed, **totals, "by_class": dict(classes), "by_error": dict(errors)}
    s3.put_object(Bucket=job.bucket, Key=job.summary, Body=json.dumps(summary, indent=2).encode())
    return summary


def check(summary: dict[str, Any], most: float) -> float:
    """The share of errors. Raises `TooManyErrorsError` when it is above `most`."""
    share: float = summary["error"] / summary["images"] if summary["images"] else 0.0
    if share > most:
        raise TooManyErrorsError(
            f"{summary['error']} of {summary['images']} images could not be classified, {share:.1%}, and at most"
            f" {most:.1%} may: {summary['by_error']}; the results at {summary['output']}/results name each"
        )
    return share
