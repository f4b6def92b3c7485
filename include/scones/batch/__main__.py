"""The program of the job's container: `--job s3://.../job.json`, with the shard's index in AWS Batch's own variable."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from include.scones.aws import buckets
from include.scones.batch import job as jobs
from include.scones.batch.classify import Classifier, config
from include.scones.batch.errors import BatchError
from include.scones.batch.shard import THREADS, Shard

log = logging.getLogger(__name__)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", required=True, help="the S3 address of the run's job.json")
    parser.add_argument("--threads", type=int, default=THREADS, help="images at once (default: %(default)s)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    s3 = buckets.client(config=config(options.threads))
    # A job of one shard is no array, and Batch gives it no index.
    index = int(os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "0"))
    try:
        job = jobs.load(s3, options.job)
        counts = Shard(job, index, s3, Classifier(job, options.threads), options.threads).process()
    except BatchError as error:
        log.error("%s", error)
        return 1
    log.info("shard %s: %s", index, counts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
