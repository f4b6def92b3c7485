"""Fetches a source archive (a path, an `https://` or an `s3://` address), checks it, keeps it under `raw/` on S3."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.scones.aws import buckets, clients
from include.scones.aws.missing import is_missing
from include.scones.cifar.archive import Archive
from include.scones.cifar.errors import ArchiveError
from include.scones.s3_layout import archive_key, s3_uri
from include.scones.settings import CIFAR_100_URL

log = logging.getLogger(__name__)

CIFAR_100_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
MAX_ARCHIVE_BYTES = 1 << 30
ATTEMPTS = 5
TIMEOUT = httpx.Timeout(30, connect=10)
LOG_EVERY = 16 << 20


@dataclass(frozen=True)
class Source:
    """An archive that was fetched and checked.

    `provenance` is `cifar-100` for the published archive, `sample` for the generated one, `archive` for any other.
    """

    source: str
    sha256: str
    key: str
    provenance: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def cache_folder() -> Path:
    """Where partial downloads wait for the next attempt."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scones-unlimited"


def fetch(source: str, sha256: str | None, bucket: str) -> Source:
    """Bring the archive to `s3://<bucket>/raw/<sha256>.tar.gz` and say what it is.

    Args:
        source: a path, or an `https://` or `s3://` address.
        sha256: the checksum it must have; the published one when `source` is the published address and none is given.

    Raises:
        ArchiveError: it cannot be reached, is too large, or has another checksum.
    """
    if source == CIFAR_100_URL and not sha256:
        sha256 = CIFAR_100_SHA256
    s3 = buckets.client()
    key = archive_key(sha256 or "")
    if sha256 and (stored := _stored(s3, bucket, key)) is not None:
        log.info("%s is already at %s", source, s3_uri(bucket, key))
        return Source(source, sha256, key, _provenance(sha256, sample=stored.get("provenance") == "sample"))
    with tempfile.TemporaryDirectory() as folder:
        path = _local_copy(source, Path(folder))
        _check_size(source, path.stat().st_size)
        downloaded = path.parent == cache_folder()
        found = file_sha256(path)
        if sha256 and found != sha256:
            if downloaded:
                path.unlink()
            raise ArchiveError(f"{source} has the sha256 {found}, expected {sha256}: it is damaged or another file")
        provenance = _provenance(found, sample=Archive(path).is_sample)
        s3.upload_file(str(path), bucket, archive_key(found), ExtraArgs={"Metadata": {"provenance": provenance}})
        if downloaded:
            path.unlink()
        return Source(source, found, archive_key(found), provenance)


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _provenance(sha256: str, *, sample: bool) -> str:
    """An archive's own words can make it a sample, never the published one."""
    if sha256 == CIFAR_100_SHA256:
        return "cifar-100"
    return "sample" if sample else "archive"


def _stored(s3: BaseClient, bucket: str, key: str) -> dict[str, str] | None:
    """The metadata of an archive that was checked and stored before."""
    try:
        return dict(s3.head_object(Bucket=bucket, Key=key)["Metadata"])
    except ClientError as error:
        if not is_missing(error):
            raise
        return None


def _check_size(source: str, size: int) -> None:
    if size > MAX_ARCHIVE_BYTES:
        raise ArchiveError(f"{source} has {size} bytes, and at most {MAX_ARCHIVE_BYTES} are read: is it CIFAR-100?")


def _local_copy(source: str, folder: Path) -> Path:
    scheme = urlsplit(source).scheme
    if scheme == "https":
        return download(source, cache_folder() / hashlib.sha256(source.encode()).hexdigest())
    if scheme == "s3":
        parts = urlsplit(source)
        path = folder / "archive.tar.gz"
        try:
            # A source is the user's to name wherever it lies, as with https://, so no owner is expected.
            s3 = clients.connect("s3")
            _check_size(source, s3.head_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["ContentLength"])
            s3.download_file(parts.netloc, parts.path.lstrip("/"), str(path))
        except ClientError as error:
            raise ArchiveError(f"{source} cannot be read: {error}") from error
        return path
    if scheme:
        raise ArchiveError(f"{source!r} has the scheme {scheme!r}: give a path, an https:// or an s3:// address")
    path = Path(source).expanduser()
    if not path.is_file():
        raise ArchiveError(f"there is no archive at {path}: give a path, an https:// or an s3:// address")
    return path


def download(url: str, target: Path) -> Path:
    """Download `url` to `target`, going on where an earlier attempt stopped.

    Raises:
        ArchiveError: it failed `ATTEMPTS` times in a row, answered an error, led to another address than an `https://`
            one, or is larger than `MAX_ARCHIVE_BYTES`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    with web_client(TIMEOUT) as session:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _append(session, url, partial)
                return partial.rename(target)
            except httpx.TransportError as error:
                log.warning("download of %s stopped (attempt %d of %d): %s", url, attempt, ATTEMPTS, error)
                last: Exception = error
            except (httpx.RequestError, httpx.InvalidURL) as error:
                last = error
                break
    raise ArchiveError(f"{url} cannot be downloaded: {last}. Give another archive with the `archive` param") from last


def web_client(timeout: httpx.Timeout | float) -> httpx.Client:
    """A client that follows redirects to `https://` addresses alone; any other raises an ArchiveError."""
    return httpx.Client(follow_redirects=True, timeout=timeout, event_hooks={"response": [_check_redirect]})


def _check_redirect(answer: httpx.Response) -> None:
    if answer.has_redirect_location:
        target = answer.url.join(answer.headers["Location"])
        if target.scheme != "https":
            raise ArchiveError(f"{answer.url} leads to {str(target)[:200]!r}: only https:// addresses are followed")


def _append(session: httpx.Client, url: str, partial: Path) -> None:
    offset = partial.stat().st_size if partial.exists() else 0
    headers = (
        {"Range": f"bytes={offset}-", "Accept-Encoding": "identity"} if offset else {"Accept-Encoding": "identity"}
    )
    with session.stream("GET", url, headers=headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return
        if answer.is_error:
            raise ArchiveError(f"{url} answered {answer.status_code} {answer.reason_phrase}")
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            offset = 0
        total = offset + int(answer.headers.get("Content-Length", 0))
        done, logged = offset, offset
        with partial.open("ab" if offset else "wb") as file:
            for chunk in answer.iter_raw():
                file.write(chunk)
                done += len(chunk)
                if done > MAX_ARCHIVE_BYTES:
                    partial.unlink()
                    raise ArchiveError(f"{url} is larger than {MAX_ARCHIVE_BYTES} bytes: that is not CIFAR-100")
                if done - logged >= LOG_EVERY:
                    logged = done
                    log.info("%d of %d MB", done >> 20, total >> 20)
