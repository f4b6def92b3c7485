"""What a batch run is to do, as every child of its array job reads it from S3, and where things lie."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from include.scones.batch.errors import FolderError


@dataclass(frozen=True)
class Job:
    """`output` is the prefix, without a slash at its end, of everything that the run writes to `bucket`.

    `input_owner` is the account of `input_bucket`; the one that the run is in where it is empty. `date` is the logical
    date of the run (ISO 8601), empty where it has none. `attempt` tells a run from the same one, cleared.
    """

    run: str
    bucket: str
    output: str
    input_bucket: str
    input_prefix: str
    endpoint: str
    classes: list[str]
    threshold: float
    input_owner: str = ""
    date: str = ""
    attempt: str = ""

    @property
    def name(self) -> str:
        return f"{self.run}-{self.attempt}" if self.attempt else self.run

    @property
    def made(self) -> tuple[str, ...]:
        """The keys below which a run writes all that it finds out, the summary first."""
        return (self.summary, *(f"{self.output}/{part}/" for part in ("results", "counts", "manifest", "checkpoints")))

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.output}/job.json"

    def manifest(self, index: int) -> str:
        return f"{self.output}/manifest/shard-{index:05}.jsonl"

    def result(self, index: int, suffix: str) -> str:
        return f"{self.output}/results/part-{index:05}.{suffix}"

    def counts(self, index: int) -> str:
        return f"{self.output}/counts/part-{index:05}.json"

    def checkpoint(self, index: int, chunk: int) -> str:
        return f"{self.output}/checkpoints/{self.name}/shard-{index:05}/{chunk:05}.jsonl"

    @property
    def summary(self) -> str:
        return f"{self.output}/summary.json"

    def store(self, s3: Any) -> None:
        s3.put_object(Bucket=self.bucket, Key=f"{self.output}/job.json", Body=json.dumps(asdict(self)).encode())


def load(s3: Any, uri: str) -> Job:
    bucket, key = split(uri)
    return Job(**json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` address. Raises `FolderError`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise FolderError(f"{uri!r} is not an S3 address: give one like s3://bucket/folder/")
    return bucket, key
