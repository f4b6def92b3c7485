"""Archives from a path, S3 and HTTP end up checked under raw/; downloads go on where they stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest

from include.scones.cifar import source
from include.scones.cifar.errors import ArchiveError
from include.scones.cifar.sample import write_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "sample.tar.gz", train=4, test=2)


@dataclass
class Site:
    """A web site of one file that may break off the first answer after `cut` bytes."""

    body: bytes
    cut: int | None = None
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site(sample: Path) -> Iterator[Site]:
    served = Site(sample.read_bytes())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            served.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            body = served.body[start:]
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut, served.cut = served.cut, None
            self.wfile.write(body[:cut])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/archive.tar.gz"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_goes_on_where_it_stopped(site: Site, sample: Path, tmp_path: Path) -> None:
    site.cut = 1000
    path = source.download(site.url, tmp_path / "archive")
    assert path.read_bytes() == sample.read_bytes()
    assert site.ranges == [None, "bytes=1000-"]


def test_an_error_answer_is_not_taken_for_the_archive(tmp_path: Path, site: Site) -> None:
    site.body = b""
    with pytest.raises(ArchiveError, match="cannot be downloaded"):
        source.download("http://127.0.0.1:9/none", tmp_path / "archive")


def test_a_path_is_checked_and_kept(bucket: str, sample: Path) -> None:
    sha256 = source.file_sha256(sample)
    fetched = source.fetch(str(sample), sha256, bucket)
    assert fetched == source.Source(str(sample), sha256, f"raw/{sha256}.tar.gz", "sample")
    stored = boto3.client("s3").get_object(Bucket=bucket, Key=fetched.key)["Body"].read()
    assert stored == sample.read_bytes()
    assert source.fetch("/gone/meanwhile.tar.gz", sha256, bucket).provenance == "sample"


def test_an_s3_address_is_read(bucket: str, sample: Path) -> None:
    boto3.client("s3").upload_file(str(sample), bucket, "mine/a.tar.gz")
    assert source.fetch(f"s3://{bucket}/mine/a.tar.gz", None, bucket).provenance == "sample"
    with pytest.raises(ArchiveError, match=r"s3://.*/mine/none cannot be read"):
        source.fetch(f"s3://{bucket}/mine/none", None, bucket)


def test_a_wrong_checksum_is_refused(bucket: str, sample: Path) -> None:
    with pytest.raises(ArchiveError, match=f"has the sha256 {source.file_sha256(sample)}, expected {'0' * 64}"):
        source.fetch(str(sample), "0" * 64, bucket)
    assert boto3.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [("/no/such/file", "there is no archive at /no/such/file"), ("ftp://x/y", "has the scheme 'ftp'")],
)
def test_an_unusable_source_is_named(bucket: str, given: str, message: str) -> None:
    with pytest.raises(ArchiveError, match=message):
        source.fetch(given, None, bucket)


def test_the_real_archive_is_not_called_cifar_100(bucket: str, shared_data: Path) -> None:
    """It holds real images, but it is not the published archive."""
    fetched = source.fetch(str(shared_data / "cifar-100-bicycle-motorcycle.tar.gz"), None, bucket)
    assert fetched.provenance == "archive"
