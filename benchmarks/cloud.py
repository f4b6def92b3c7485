"""Start-up time and idle memory of the local cloud with one endpoint up, each beside its limit.

Run it with `.venv-cloud/bin/python -m benchmarks.cloud`. It trains for one epoch on 64 real images to have a model.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.conftest import SHARED_DATA, Cloud, start_cloud, stop_cloud
from tests.local_cloud.conftest import IMAGE, client, ended, training_request, upload_images
from tests.roles import ROLE
from tests.waiting import eventually

STARTS = 5
START_LIMIT = 5.0  # seconds
MEMORY_LIMIT = 250.0  # MB
IDLE_SECONDS = 10
NAME = "benchmark"


def start_seconds(data: Path) -> float:
    started = time.monotonic()
    cloud = start_cloud(data)
    seconds = time.monotonic() - started
    stop_cloud(cloud)
    return seconds


def serve(cloud: Cloud) -> None:
    """Bring one endpoint into service and invoke it once."""
    upload_images(client(cloud, "s3"), NAME, SHARED_DATA / "cifar-100-bicycle-motorcycle.tar.gz", train=64, test=16)
    sagemaker = client(cloud, "sagemaker")
    sagemaker.create_training_job(**training_request(NAME, NAME))
    job = ended(sagemaker, NAME, 300)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName=NAME, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant: dict[str, Any] = {
        "VariantName": "AllTraffic",
        "ModelName": NAME,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    eventually(lambda: sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "InService", seconds=60)
    s3 = client(cloud, "s3")
    key = s3.list_objects_v2(Bucket=NAME, Prefix="test/", MaxKeys=1)["Contents"][0]["Key"]
    png = s3.get_object(Bucket=NAME, Key=key)["Body"].read()
    client(cloud, "sagemaker-runtime").invoke_endpoint(EndpointName=NAME, ContentType="image/png", Body=png)


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except FileNotFoundError:
                continue
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def resident_megabytes(pid: int, kind: str) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(f"{kind}:")) / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "cloud"
        starts = [start_seconds(data) for _ in range(STARTS)]
        cloud = start_cloud(data)
        serve(cloud)
        stop_cloud(cloud)
        restart = time.monotonic()
        cloud = start_cloud(data)
        eventually(
            lambda: client(cloud, "sagemaker").describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "InService",
            seconds=60,
        )
        restart = time.monotonic() - restart
        time.sleep(IDLE_SECONDS)
        members = {pid: Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in family(cloud.process.pid)}
        median, slowest = statistics.median(starts), max(starts)
        print(f"start, empty:           median {median:.2f} s, max {slowest:.2f} s of {STARTS}; limit {START_LIMIT} s")
        print(f"start, 1 endpoint back: {restart:.2f} s; limit {START_LIMIT} s")
        for pid, arguments in members.items():
            resident, share = resident_megabytes(pid, "Rss"), resident_megabytes(pid, "Pss")
            print(f"  resident {resident:6.1f} MB, own share {share:6.1f} MB: {' '.join(arguments[1:4])}")
        total = sum(resident_megabytes(pid, "Rss") for pid in members)
        print(f"idle with 1 endpoint:   {total:.1f} MB resident in {len(members)} processes; limit {MEMORY_LIMIT} MB")
        stop_cloud(cloud)
        sys.exit(median > START_LIMIT or total > MEMORY_LIMIT)


if __name__ == "__main__":
    main()
