"""Archives from a path, S3 and HTTP end up checked under raw/; downloads go on where they stopped."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

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
    leads_to: str = ""


@pytest.fixture
def site(sample: Path) -> Iterator[Site]:
    served = Site(sample.read_bytes())
    with serve(served) as served.url:
        yield served


@contextmanager
def serve(served: Site, certificate: Path | None = None) -> Iterator[str]:
    """The address of its archive, served with TLS where there is a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", served.leads_to)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
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
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}/archive.tar.gz"
    server.shutdown()
    thread.join()
    server.server_close()


def write_certificate(path: Path) -> Path:
    """A key and a certificate of its own for the loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.system
def test_a_download_goes_on_where_it_stopped(site: Site, sample: Path, tmp_path: Path) -> None:
    site.cut = 1000
    path = source.download(site.url, tmp_path / "archive")
    assert path.read_bytes() == sample.read_bytes()
    assert site.ranges == [None, "bytes=1000-"]


@pytest.mark.system
@pytest.mark.parametrize("leads_to", ["http://127.0.0.1:9/a", "/archive.tar.gz", "//127.0.0.1:9/a", "ftp://x/y"])
def test_a_redirect_to_an_address_without_tls_is_refused(site: Site, tmp_path: Path, leads_to: str) -> None:
    site.leads_to = leads_to
    with pytest.raises(ArchiveError, match=rf"/moved leads to '.*{leads_to}': only https:// addresses are followed"):
        source.download(site.url.replace("archive.tar.gz", "moved"), tmp_path / "archive")
    assert site.ranges == []


@pytest.mark.system
def test_a_redirect_to_an_https_address_is_followed(
    site: Site, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "certificate.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serve(site, certificate) as secure:
        site.leads_to = secure
        path = source.download(site.url.replace("archive.tar.gz", "moved"), tmp_path / "archive")
    assert path.read_bytes() == sample.read_bytes()


@pytest.mark.system
def test_what_is_too_large_is_not_kept(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_ARCHIVE_BYTES", 1000)
    with pytest.raises(ArchiveError, match="is larger than 1000 bytes"):
        source.download(site.url, tmp_path / "archive")
    assert not list(tmp_path.iterdir())


def test_what_is_too_large_is_not_fetched_from_s3_or_read(
    bucket: str, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.client("s3").upload_file(str(sample), bucket, "mine/a.tar.gz")
    monkeypatch.setattr(source, "MAX_ARCHIVE_BYTES", 1000)
    for given in (f"s3://{bucket}/mine/a.tar.gz", str(sample)):
        with pytest.raises(ArchiveError, match=f"{given} has {sample.stat().st_size} bytes, and at most 1000 are read"):
            source.fetch(given, None, bucket)


@pytest.mark.system
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


def test_what_is_stored_is_not_believed_to_be_the_published_archive(bucket: str, sample: Path) -> None:
    sha256 = source.file_sha256(sample)
    extra = {"Metadata": {"provenance": "cifar-100"}}
    boto3.client("s3").upload_file(str(sample), bucket, f"raw/{sha256}.tar.gz", ExtraArgs=extra)
    assert source.fetch(str(sample), sha256, bucket).provenance == "archive"


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
