"""The files of the reports in the project's bucket: which may be asked for, and reading them piece by piece."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from fastapi import HTTPException

from include.pages.asking import ask
from include.scones import settings
from include.scones.aws import buckets
from include.scones.aws.missing import is_missing
from include.scones.s3_layout import REPORTS

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
}
# A page holds its figures and images; the records of a day with a million requests are some 100 MB.
MOST_BYTES = 1 << 30
PIECE = 1 << 18
SECONDS = 30
CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})
# No name begins with a dot, so that none leads upwards.
NAME = re.compile(r"(?:[\w=+-][\w=+:.-]*/)*[\w=+-][\w=+:.-]*(\.[a-z]+)", re.ASCII)


@dataclass(frozen=True)
class ReportFile:
    """A file that S3 has begun to send."""

    content_type: str
    size: int
    body: Any

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            while piece := await ask(self.body.read, PIECE, seconds=SECONDS):
                yield piece
        finally:
            self.body.close()


async def open_file(name: str) -> ReportFile:
    """The file `name` below the reports' prefix.

    Raises:
        HTTPException: 404 where there is none, or none that is served; 413 where it is too large.
    """
    kind = NAME.fullmatch(name)
    if len(name) > 900 or not kind or kind[1] not in TYPES:
        raise HTTPException(404, "the reports have no such file")
    answer = await ask(_get, f"{REPORTS}{name}", seconds=SECONDS)
    if answer is None:
        raise HTTPException(404, f"the reports have no file {name}")
    if answer["ContentLength"] > MOST_BYTES:
        answer["Body"].close()
        raise HTTPException(413, f"{name} has {answer['ContentLength']} bytes, more than {MOST_BYTES}: read it from S3")
    return ReportFile(TYPES[kind[1]], answer["ContentLength"], answer["Body"])


def _get(key: str) -> dict[str, Any] | None:
    here = settings.load()
    try:
        answer: dict[str, Any] = buckets.client(here.account, here.region, CONFIG).get_object(
            Bucket=here.bucket, Key=key
        )
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    return answer
