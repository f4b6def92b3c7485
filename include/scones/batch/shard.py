"""One shard of a run: classified in chunks that are kept as they are finished, so that a killed attempt is taken up.

A chunk is a fixed range of the manifest's lines, so whoever classifies it, and however often, it is the same images.
The results are put together from the chunks, and the counts, written last, say that the shard is done.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from include.scones.aws.missing import is_missing
from include.scones.batch.classify import OUTCOMES, Row
from include.scones.batch.job import Job

CHUNK = 256  # images between two checkpoints: what a killed attempt loses at most
THREADS = 8
SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("class", pa.string()),
        pa.field("probabilities", pa.list_(pa.float64())),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("error", pa.string()),
    ]
)
log = logging.getLogger(__name__)

Classify = Callable[[str], Row]


class Shard:
    """`process` does it all, or what an earlier attempt left of it."""

    def __init__(self, job: Job, index: int, s3: Any, classify: Classify, threads: int = THREADS) -> None:
        self.job = job
        self.index = index
        self.s3 = s3
        self.classify = classify
        self.threads = threads

    def process(self) -> dict[str, Any]:
        """Returns the counts."""
        counts = self._json(self.job.counts(self.index))
        if counts is None or counts["run"] != self.job.name:
            keys = self._keys()
            chunks = [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
            self._classify(chunks)
            counts = self._assemble(len(chunks))
        else:
            log.info("shard %s is done already", self.index)
            chunks = [[]] * counts["chunks"]
        for chunk in range(len(chunks)):
            self.s3.delete_object(Bucket=self.job.bucket, Key=self.job.checkpoint(self.index, chunk))
        return counts

    def _keys(self) -> list[str]:
        body = self._get(self.job.manifest(self.index))
        return [json.loads(line)["key"] for line in body.splitlines()]

    def _classify(self, chunks: list[list[str]]) -> None:
        with ThreadPoolExecutor(self.threads) as pool:
            for number, keys in enumerate(chunks):
                name = self.job.checkpoint(self.index, number)
                if self._exists(name):
                    log.info("chunk %s of shard %s was classified by an earlier attempt", number, self.index)
                    continue
                rows = list(pool.map(self.classify, keys))
                content = "".join(json.dumps(row) + "\n" for row in rows)
                self.s3.put_object(Bucket=self.job.bucket, Key=name, Body=content.encode())
                log.info("shard %s: %s of %s chunks", self.index, number + 1, len(chunks))

    def _assemble(self, chunks: int) -> dict[str, Any]:
        """Write the two files of results, a chunk in memory at a time, and then the counts."""
        outcomes: Counter[str] = Counter()
        classes: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            lines, table = Path(folder, "jsonl"), Path(folder, "parquet")
            with lines.open("wb") as text, pq.ParquetWriter(table, SCHEMA) as parquet:
                for chunk in range(chunks):
                    body = self._get(self.job.checkpoint(self.index, chunk))
                    text.write(body)
                    rows = [json.loads(line) for line in body.splitlines()]
                    parquet.write_table(pa.Table.from_pylist(rows, SCHEMA))
                    outcomes.update(row["outcome"] for row in rows)
                    classes.update(row["class"] for row in rows if row["class"] is not None)
                    errors.update(row["error"].partition(":")[0] for row in rows if row["error"] is not None)
            for path in (lines, table):
                self.s3.upload_file(str(path), self.job.bucket, self.job.result(self.index, path.name))
        counts = {
            "run": self.job.name,
            "chunks": chunks,
            "images": outcomes.total(),
            **{outcome: outcomes[outcome] for outcome in OUTCOMES},
            "classes": dict(classes),
            "errors": dict(errors),
        }
        body = json.dumps(counts).encode()
        self.s3.put_object(Bucket=self.job.bucket, Key=self.job.counts(self.index), Body=body)
        return counts

    def _get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.job.bucket, Key=key)["Body"].read())

    def _json(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._get(key))
        except ClientError as error:
            if not is_missing(error):
                raise
            return None
        return found

    def _exists(self, key: str) -> bool:
        try:
            self.s3.head_object(Bucket=self.job.bucket, Key=key)
        except ClientError as error:
            if not is_missing(error):
                raise
            return False
        return True
