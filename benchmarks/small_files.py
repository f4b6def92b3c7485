"""The report on a day of capture files of one record each: `python -m benchmarks.small_files [--files N] [--count]`.

The files are put where the local cloud keeps its S3 objects before it starts. `--count` reads in this process alone and
counts the requests.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.generate_captures import DAY, ENDPOINT, generate
from include.launcher.config import Config as Place
from include.launcher.services import Services
from include.scones.capture.report import build_report
from include.scones.capture.stores.bucket import READERS

BUCKET = "benchmark-small-files"
ACCOUNT = "000000000000"


def counting(requests: Counter[str]) -> Any:
    """A client that counts its requests by operation."""
    client = boto3.client("s3", config=Config(max_pool_connections=2 * READERS))

    def count(model: Any, **_: Any) -> None:
        requests[model.name] += 1

    client.meta.events.register("provide-client-params.s3", count)
    return client


def report(client: Any) -> dict[str, Any]:
    end = DAY + timedelta(days=1)
    return build_report(bucket=BUCKET, endpoint=ENDPOINT, start=DAY, end=end, threshold=0.93, client=client)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--port", type=int, default=4599)
    given = parser.parse_args()
    requests: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Place("local", Path(folder), cloud_port=given.port, airflow_port=0)
        generate(place.cloud_data / "s3" / ACCOUNT / BUCKET, given.files, given.files)
        stack = Services(place)
        stack.start_cloud(print)
        try:
            stack.await_cloud()
            os.environ.update(place.aws_environment())
            started = time.monotonic()
            summary = report(counting(requests) if given.count else None)
            seconds = time.monotonic() - started
        finally:
            stack.stop_cloud()
    print(f"{summary['records']} records of {summary['files']} files in {seconds:.1f} s")
    for name, number in sorted(requests.items()):
        print(f"  {name}: {number}")


if __name__ == "__main__":
    main()
