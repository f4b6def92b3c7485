"""The project's S3 requests name the account that they expect the bucket to belong to, each of them."""

from __future__ import annotations

import ast
import io
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from include.scones import stacks
from include.scones.aws import buckets
from include.scones.batch import run
from include.scones.batch.classify import Classifier
from include.scones.batch.errors import EndpointError
from include.scones.batch.shard import Shard
from include.scones.capture.report import build_report
from include.scones.cifar import catalogue, dataset, sample, source
from include.scones.errors import BucketError
from include.scones.inference.inputs import generate_test_cases
from include.scones.models.predictions import read_baseline
from include.scones.settings import Settings
from include.scones.stacks import packaging
from include.scones.teardown import plan
from include.scones.thresholds.traffic import count_traffic
from tests.conftest import REGION, ROOT, Cloud
from tests.scones.capture.conftest import day
from tests.strangers import open_bucket

HERE = Settings("bucket-tests", REGION, "000000000000", "bucket-tests-bucket")
CLASSES = [8, 48]
# S3 has no owner condition for these: they name no bucket, or make it.
WITHOUT = {("GET", "/"), ("PUT", f"/{HERE.bucket}")}
# Who makes an S3 client without `buckets`: itself, what reads an address that the user named, and the functions, which
# have nothing of the project beside them and name the owner themselves.
MAKERS = {"include/scones/aws/buckets.py", "include/scones/cifar/source.py"}


@pytest.fixture
def theirs(cloud: Cloud) -> Iterator[Settings]:
    """The project's settings where a stranger has made the bucket before it and opened it to everyone."""
    here = replace(HERE, bucket=f"theirs-{uuid.uuid4().hex[:12]}")
    owner = open_bucket(here.bucket)
    yield here
    assert owner.list_objects_v2(Bucket=here.bucket)["KeyCount"] == 0, "something was written to a stranger's bucket"


def test_a_strangers_bucket_is_refused_by_name_before_anything_is_made(theirs: Settings) -> None:
    with pytest.raises(BucketError, match=f"^the bucket {theirs.bucket} belongs to another account than 000000000000,"):
        stacks.deploy_foundation(replace(theirs, project="bucket-tests-theirs"))
    with pytest.raises(ClientError, match="does not exist"):
        boto3.client("cloudformation").describe_stacks(StackName="bucket-tests-theirs-foundation")


def test_a_bucket_of_another_region_is_refused_by_name(cloud: Cloud) -> None:
    here = replace(HERE, bucket=f"far-{uuid.uuid4().hex[:12]}")
    boto3.client("s3", region_name="eu-west-1").create_bucket(
        Bucket=here.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    with pytest.raises(
        BucketError, match=rf"^the bucket {here.bucket} lies in eu-west-1, and this run is in us-east-1: set"
    ):
        stacks.deploy_foundation(here)
    assert buckets.exists(replace(here, region="eu-west-1"))
    assert not buckets.exists(replace(here, bucket=f"{here.bucket}-none"))


def test_no_code_goes_to_a_strangers_bucket(theirs: Settings) -> None:
    with pytest.raises(ClientError, match=f"the bucket {theirs.bucket} must belong to account 000000000000"):
        packaging.upload_code(theirs.bucket)
    with pytest.raises(ClientError, match="must belong to account"):
        stacks.deploy_inference(theirs, 0.93)


def test_large_files_are_refused_too(theirs: Settings, tmp_path: Path) -> None:
    s3 = buckets.client()
    for size in (1, 9 << 20):
        with pytest.raises(Exception, match="must belong to account"):
            s3.upload_fileobj(io.BytesIO(b"x" * size), theirs.bucket, "large")
    with pytest.raises(ClientError, match="403"):
        s3.download_file(theirs.bucket, "large", str(tmp_path / "large"))
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.copy_object(Bucket=theirs.bucket, Key="copy", CopySource=f"{theirs.bucket}/large")


class Recorder(BaseHTTPRequestHandler):
    """Hands every request on to the cloud, and keeps those to S3 that expect no owner."""

    cloud = ""
    client: httpx.Client
    seen: int = 0
    careless: list[tuple[str, str]]

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "/s3/aws4_request" in self.headers.get("Authorization", "") + httpx.URL(self.path).params.get(
            "X-Amz-Credential", ""
        ):
            type(self).seen += 1
            if buckets.OWNER_HEADER not in self.headers:
                self.careless.append((self.command, httpx.URL(self.path).path))
        answer = self.client.request(self.command, self.cloud + self.path, content=body, headers=dict(self.headers))
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "content-encoding", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header(
            "Content-Length",
            answer.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(answer.content)),
        )
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    protocol_version = "HTTP/1.1"
    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _hand_on

    def log_message(self, *arguments: object) -> None:
        """Silent."""


@pytest.fixture
def recorder(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Recorder]]:
    """The AWS environment leads through it to the cloud, for this process and those that it starts."""
    with httpx.Client(timeout=60) as client:
        kept = type("Kept", (Recorder,), {"cloud": cloud.url, "careless": [], "client": client})
        server = ThreadingHTTPServer(("127.0.0.1", 0), kept)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield kept
        server.shutdown()
        server.server_close()


def test_every_request_of_a_run_names_the_owner(recorder: type[Recorder], tmp_path: Path) -> None:
    stacks.deploy_foundation(HERE)
    archive = sample.write_sample(tmp_path / "sample.tar.gz", train=4, test=2)
    found = source.fetch(str(archive), None, HERE.bucket)
    data = dataset.publish(found, HERE.bucket, CLASSES)
    catalogue.make_current(HERE.bucket, data, "run")
    generate_test_cases(HERE, data, 1, 0)
    stacks.deploy_inference(HERE, 0.93)
    window = day("2024-10-16")
    build_report(bucket=HERE.bucket, endpoint=HERE.endpoint, start=window.start, end=window.end, threshold=0.93)
    job = run.prepare(HERE, "run", f"s3://{HERE.bucket}/{data['prefix']}test/", "", 0.93, ["bicycle", "motorcycle"])
    s3 = buckets.client()
    s3.put_object(Bucket=HERE.bucket, Key=job.manifest(0), Body=b'{"key": "x"}\n')
    row = {"key": "x", "class": None, "probabilities": None, "outcome": "error", "error": "none"}
    Shard(job, 0, s3, lambda key: row).process()
    run.summarise(job, {"shards": 1, "images": 1})
    first = s3.list_objects_v2(Bucket=HERE.bucket, Prefix=f"{data['prefix']}test/")["Contents"][0]["Key"]
    with pytest.raises(EndpointError):
        Classifier(job, 1)(first)
    assert read_baseline(HERE, window.end) is None
    count_traffic(HERE, 2)
    plan.execute(HERE, plan.plan(HERE, "everything"))
    plan.verify(HERE, "everything")
    assert recorder.seen > 50
    assert set(recorder.careless) <= WITHOUT


def test_no_other_part_makes_an_s3_client_of_its_own() -> None:
    makers = set()
    for folder in ("include/scones", "include/operators", "include/pages", "include/launcher", "plugins", "dags"):
        for path in (ROOT / folder).rglob("*.py"):
            calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
            if any(
                a.value == "s3"
                for c in calls
                if "client" in ast.unparse(c.func)
                for a in c.args[:1]
                if isinstance(a, ast.Constant)
            ):
                makers.add(path.relative_to(ROOT).as_posix())
    assert makers == MAKERS
