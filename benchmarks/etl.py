"""The ETL of the real images against the way published notebooks do it, in turn, on the same local S3.

The notebooks' way: `matplotlib.pyplot.imsave` for every image to disk, then one upload after the other.

    .venv/bin/python -m benchmarks.etl [--archive FILE] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import uuid
from pathlib import Path

import boto3
import matplotlib

from include.launcher.config import Config
from include.launcher.services import Services
from include.scones.cifar import dataset, source
from include.scones.cifar.archive import Archive
from include.scones.s3_layout import SPLITS

CLASSES = [8, 48]


def new_bucket() -> str:
    name = f"etl-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


ARCHIVE = Path(__file__).parents[2] / "shared" / "data" / "cifar-100-bicycle-motorcycle.tar.gz"


def ours(archive: Path) -> float:
    bucket = new_bucket()
    fetched = source.fetch(str(archive), None, bucket)
    begun = time.perf_counter()
    dataset.publish(fetched, bucket, CLASSES)
    return time.perf_counter() - begun


def notebooks(archive: Path) -> float:
    import matplotlib.pyplot as plt

    bucket, s3 = new_bucket(), boto3.client("s3")
    begun = time.perf_counter()
    opened = Archive(archive)
    with tempfile.TemporaryDirectory() as folder:
        for split in SPLITS:
            for image in opened.images(split, CLASSES):
                path = Path(folder) / split / image.name
                path.parent.mkdir(exist_ok=True)
                plt.imsave(path, image.pixels)
        for path in sorted(Path(folder).rglob("*.png")):
            s3.upload_file(str(path), bucket, str(path.relative_to(folder)))
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, default=ARCHIVE)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=4599)
    given = parser.parse_args()
    matplotlib.use("Agg")
    with tempfile.TemporaryDirectory() as folder:
        config = Config("local", Path(folder), cloud_port=given.port, airflow_port=0)
        stack = Services(config)
        stack.start_cloud(print)
        try:
            stack.await_cloud()
            os.environ.update(config.aws_environment())
            times = [(ours(given.archive), notebooks(given.archive)) for _ in range(given.rounds)]
        finally:
            stack.stop_cloud()
    for mine, peer in times:
        print(f"ours {mine:5.2f} s, the notebooks' way {peer:5.2f} s, {peer / mine:.2f} times as fast")
    print(f"median: {statistics.median(peer / mine for mine, peer in times):.2f} times as fast")


if __name__ == "__main__":
    main()
