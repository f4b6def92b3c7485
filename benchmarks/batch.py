"""Batch inference beside its peers: a loop of one `invoke_endpoint` after the other, and the endpoint by itself.

Run it as `.venv-cloud/bin/python -m benchmarks.batch [--images 2000] [--keys 1000000]`. Endpoint, S3,
clients and jobs share the same cores. The manifest's folder is a simulated listing, its shards are really written.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3

from benchmarks import serving
from include.scones.batch import run, stack
from include.scones.batch.job import Job
from include.scones.settings import Settings

HERE = Settings("benchmark", serving.REGION, "000000000000", serving.BUCKET)
FOLDER = "images/"
CLIENTS = 4
PAGE = 1000
ROOT = Path(__file__).parents[1]


def list_images() -> ModuleType:
    spec = importlib.util.spec_from_file_location("list_images", ROOT / "lambdas" / "list_images.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def manifest_seconds(keys: int, shard_size: int = 1000) -> float:
    """How long the function takes for a folder of so many keys, which it gets page by page without S3."""

    def pages(bucket: str, prefix: str, after: str) -> Iterator[dict[str, Any]]:
        for start in range(0, keys, PAGE):
            contents = [{"Key": f"{prefix}{index:08}.png", "Size": 1} for index in range(start, start + PAGE)]
            yield {"Contents": contents, "IsTruncated": start + PAGE < keys}

    module = list_images()
    vars(module)["pages"] = pages
    event = {"bucket": "simulated", "prefix": "x/", "output_bucket": HERE.bucket, "output": "batch/many"}
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)
    began = time.perf_counter()
    answer = module.lambda_handler(event | {"shard_size": shard_size}, context)
    assert answer["images"] == keys
    return time.perf_counter() - began


def upload(count: int) -> None:
    s3 = boto3.client("s3")

    def put(index: int) -> None:
        s3.put_object(Bucket=HERE.bucket, Key=f"{FOLDER}{index:06}.png", Body=serving.png(index))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(count)))


def endpoint_throughput(url: str, seconds: float) -> float:
    """Answers a second to clients that only ask the endpoint."""
    with ProcessPoolExecutor(CLIENTS) as pool:
        times = [future.result()[0] for future in [pool.submit(serving.many, url, seconds) for _ in range(CLIENTS)]]
    return sum(len(each) for each in times) / seconds


def loop_throughput(count: int) -> float:
    s3, runtime = boto3.client("s3"), boto3.client("sagemaker-runtime")
    began = time.perf_counter()
    for index in range(count):
        image = s3.get_object(Bucket=HERE.bucket, Key=f"{FOLDER}{index:06}.png")["Body"].read()
        runtime.invoke_endpoint(EndpointName=serving.ENDPOINT, ContentType="image/png", Body=image)["Body"].read()
    return count / (time.perf_counter() - began)


def batch_seconds(shard_size: int) -> tuple[float, float]:
    """From the submission to the end of the job, and of that from the first child's start on."""
    outputs = stack.deploy_batch(HERE).outputs
    folder = f"s3://{HERE.bucket}/{FOLDER}"
    prepared = run.prepare(HERE, "benchmark", folder, "", 0.9, ["bicycle", "motorcycle"])
    job: Job = replace(prepared, endpoint=serving.ENDPOINT)
    job.store(boto3.client("s3"))
    listed = run.list_images(job, outputs["ListingArn"], shard_size)
    batch = boto3.client("batch")
    array = run.array(listed["shards"])
    began = time.perf_counter()
    job_id = batch.submit_job(
        jobName="benchmark",
        jobQueue=outputs["QueueArn"],
        jobDefinition=outputs["DefinitionArn"],
        parameters={"job": job.uri},
        **({"arrayProperties": array} if array else {}),
    )["jobId"]
    while (found := batch.describe_jobs(jobs=[job_id])["jobs"][0])["status"] not in ("SUCCEEDED", "FAILED"):
        time.sleep(0.5)
    took = time.perf_counter() - began
    summary = run.summarise(job, listed)
    assert found["status"] == "SUCCEEDED" and summary["error"] == 0, found
    children = batch.list_jobs(arrayJobId=job_id, jobStatus="SUCCEEDED")["jobSummaryList"] if array else [found]
    first = min(child["startedAt"] for child in children)
    return took, (max(child["stoppedAt"] for child in children) - first) / 1000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=2000)
    options.add_argument("--keys", type=int, default=1_000_000)
    options.add_argument("--seconds", type=float, default=8)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name, serving.cloud(Path(name)) as (url, _):
        os.environ.update({"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": serving.REGION})
        archive = Path(name) / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(serving.make_model(Path(name) / "ml"), ".")
        serving.deploy(url, archive)
        upload(given.images)
        alone = [endpoint_throughput(url, given.seconds)]
        looped = loop_throughput(min(given.images, 300))
        took, worked = batch_seconds(max(1, given.images // 4))
        # Once more: on a machine that others use, what was measured before the job need not hold after it.
        alone.append(endpoint_throughput(url, given.seconds))
        print(
            f"the endpoint alone, {CLIENTS} clients:  {alone[0]:8.0f} images/s before the job, {alone[1]:.0f} after it"
        )
        print(f"a loop of one after the other: {looped:8.0f} images/s")
        print(f"batch, from its submission:    {given.images / took:8.0f} images/s ({given.images} images)")
        print(f"batch, from its first start:   {given.images / worked:8.0f} images/s")
        rate = given.images / took
        print(
            f"batch is {rate / looped:.1f} times the loop, and {rate / max(alone):.0%} of the endpoint's own throughput"
        )
        print(f"manifest of {given.keys} keys: {manifest_seconds(given.keys):.1f} s")


if __name__ == "__main__":
    main()
