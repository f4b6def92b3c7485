"""Capture lines against files that SageMaker wrote, and the spool that brings them to S3."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.local_cloud.sagemaker.endpoints import capture_files
from include.local_cloud.sagemaker.endpoints.capture_files import CaptureFiles, Stream
from include.local_cloud.sagemaker.endpoints.data_capture import CHUNK, CaptureSettings, Exchange
from tests.waiting import awaited

CONFIG = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/data_capture/",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"], "CsvContentTypes": ["text/csv"]},
}
WHEN = datetime(2024, 10, 15, 14, 5, 12, 996_400, tzinfo=UTC)
STREAM = Stream("bucket", "data_capture", "endpoint", "AllTraffic", "arn:aws:iam::000000000000:role/tests")


def settings(**changes: Any) -> CaptureSettings:
    made = CaptureSettings.from_config({**CONFIG, **changes})
    assert made is not None
    return made


def exchange(**changes: Any) -> Exchange:
    return Exchange(WHEN, "image/png", b"\x89PNG", "application/json", b"[0.9, 0.1]")._replace(**changes)


def real_lines(shared_data: Path) -> list[bytes]:
    files = sorted((shared_data / "captures").rglob("*.jsonl"))
    return [line for file in files for line in file.read_bytes().splitlines(keepends=True)]


def test_lines_are_byte_for_byte_what_sagemaker_wrote(shared_data: Path) -> None:
    lines = real_lines(shared_data)
    assert len(lines) == 22
    for line in lines:
        real = json.loads(line)
        given, answered = real["captureData"]["endpointInput"], real["captureData"]["endpointOutput"]
        when = datetime.fromisoformat(real["eventMetadata"]["inferenceTime"])
        ours = settings().line(
            Exchange(
                when,
                given["observedContentType"],
                b64decode(given["data"]),
                answered["observedContentType"],
                answered["data"].encode(),
            )
        )
        ours_id = json.loads(ours)["eventMetadata"]["eventId"]
        assert ours.replace(ours_id.encode(), real["eventMetadata"]["eventId"].encode()) == line


def test_event_metadata_has_what_the_caller_sent() -> None:
    line = json.loads(settings().line(exchange(inference_id="id-1", custom_attributes="a=b")))
    assert line["eventMetadata"].pop("eventId")
    assert line["eventMetadata"] == {
        "customAttributes": ["a=b"],
        "inferenceId": "id-1",
        "inferenceTime": "2024-10-15T14:05:12Z",
    }
    assert line["eventVersion"] == "0"


@pytest.mark.parametrize(
    ("content_type", "body", "data", "encoding"),
    [
        ("application/json", b"[1]", "[1]", "JSON"),
        ("Application/JSON; charset=utf-8", b"[1]", "[1]", "JSON"),
        ("text/csv; charset=utf-8", "é,1\n".encode(), "é,1\n", "CSV"),
        ("text/csv", b"\xff\xfe", b64encode(b"\xff\xfe").decode(), "BASE64"),
        ("application/jsonlines", b"{}\n", b64encode(b"{}\n").decode(), "BASE64"),
        ("image/png", b"", "", "BASE64"),
    ],
)
def test_text_only_where_its_content_type_is_listed(content_type: str, body: bytes, data: str, encoding: str) -> None:
    line = json.loads(settings().line(exchange(output_type=content_type, output=body)))
    assert line["captureData"]["endpointOutput"] == {
        "observedContentType": content_type,
        "mode": "OUTPUT",
        "data": data,
        "encoding": encoding,
    }


@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 2])
def test_large_bodies_are_one_base64_text(size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert json.loads(settings().line(exchange(input=body)))["captureData"]["endpointInput"] == {
        "observedContentType": "image/png",
        "mode": "INPUT",
        "data": b64encode(body).decode(),
        "encoding": "BASE64",
    }


def test_without_listed_content_types_everything_is_base64() -> None:
    config = {key: value for key, value in CONFIG.items() if key != "CaptureContentTypeHeader"}
    made = CaptureSettings.from_config(config)
    assert made is not None
    assert json.loads(made.line(exchange()))["captureData"]["endpointOutput"]["encoding"] == "BASE64"


@pytest.mark.parametrize(
    ("modes", "sides"),
    [
        (["Input"], ["endpointInput"]),
        (["Output"], ["endpointOutput"]),
        (["InputAndOutput"], ["endpointInput", "endpointOutput"]),
    ],
)
def test_only_the_asked_sides_are_captured(modes: list[str], sides: list[str]) -> None:
    made = settings(CaptureOptions=[{"CaptureMode": mode} for mode in modes])
    assert list(json.loads(made.line(exchange()))["captureData"]) == sides


def test_capture_that_is_off_or_absent() -> None:
    assert CaptureSettings.from_config(None) is None
    assert CaptureSettings.from_config({**CONFIG, "EnableCapture": False}) is None


class Bucket:
    """Takes what a spool uploads; `failing` turns everything away."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.failing = False

    async def put(self, role: str, bucket: str, key: str, content: bytes) -> None:
        if self.failing:
            raise OSError("no such bucket")
        self.objects[f"{bucket}/{key}"] = content


def with_spool(folder: Path, work: Callable[[CaptureFiles, Bucket], Awaitable[None]]) -> Bucket:
    bucket = Bucket()

    async def run() -> None:
        await work(CaptureFiles(folder, bucket.put), bucket)

    awaited(run())
    return bucket


def test_a_file_is_named_after_its_first_record_and_keeps_the_order(tmp_path: Path) -> None:
    async def work(spool: CaptureFiles, bucket: Bucket) -> None:
        spool.append(STREAM, b"one\n", WHEN)
        spool.append(STREAM, b"two\n", WHEN.replace(hour=23))
        spool.append(STREAM._replace(variant="Other"), b"three\n", WHEN)
        await spool.flush()

    objects = with_spool(tmp_path, work).objects
    assert sorted(objects.values()) == [b"one\ntwo\n", b"three\n"]
    for key, content in objects.items():
        variant = "Other" if content == b"three\n" else "AllTraffic"
        head = f"bucket/data_capture/endpoint/{variant}/2024/10/15/14/05-12-996-"
        assert key.startswith(head)
        assert len(key.removeprefix(head)) == len("134a89fb-c8d4-4f30-8dde-033e4dd53a08.jsonl")
    assert not list(tmp_path.rglob("*.jsonl"))


def test_files_roll_over_by_time_and_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_files, "ROLL_SECONDS", 0.05)
    monkeypatch.setattr(capture_files, "ROLL_BYTES", 10)

    async def work(spool: CaptureFiles, bucket: Bucket) -> None:
        for line in (b"12345678\n", b"12\n", b"late\n"):
            spool.append(STREAM, line, WHEN)
        async with asyncio.timeout(10):
            while len(bucket.objects) < 2:
                await spool.sweep()
                await asyncio.sleep(0.01)

    assert sorted(with_spool(tmp_path, work).objects.values()) == [b"12345678\n12\n", b"late\n"]


def test_a_file_that_gets_no_more_records_is_not_kept_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_files, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(capture_files, "ROLL_SECONDS", 3600)

    async def work(spool: CaptureFiles, bucket: Bucket) -> None:
        spool.append(STREAM, b"only\n", WHEN)
        async with asyncio.timeout(10):
            while not bucket.objects:
                await spool.sweep()
                await asyncio.sleep(0.01)

    assert list(with_spool(tmp_path, work).objects.values()) == [b"only\n"]


def test_what_a_killed_process_left_is_brought_at_the_next_start(tmp_path: Path) -> None:
    async def killed(spool: CaptureFiles, bucket: Bucket) -> None:
        spool.append(STREAM, b"whole\n", WHEN)
        spool.append(STREAM, b"half a li", WHEN)

    async def next_start(spool: CaptureFiles, bucket: Bucket) -> None:
        spool.recover()
        await spool.flush()

    assert not with_spool(tmp_path, killed).objects
    objects = with_spool(tmp_path, next_start).objects
    assert list(objects.values()) == [b"whole\n"]
    assert next(iter(objects)).startswith("bucket/data_capture/endpoint/AllTraffic/2024/10/15/14/05-12-996-")


def test_a_failed_upload_is_tried_again(tmp_path: Path) -> None:
    async def work(spool: CaptureFiles, bucket: Bucket) -> None:
        bucket.failing = True
        spool.append(STREAM, b"kept\n", WHEN)
        await spool.flush()
        assert not bucket.objects
        bucket.failing = False
        await spool.flush()

    assert list(with_spool(tmp_path, work).objects.values()) == [b"kept\n"]


def test_a_disk_that_refuses_does_not_reach_the_caller(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "spool"
    folder.write_text("a file where the folder should be")

    async def work(spool: CaptureFiles, bucket: Bucket) -> None:
        spool.append(STREAM, b"lost\n", WHEN)

    with_spool(folder, work)
    assert "a captured record of endpoint/AllTraffic is lost" in caplog.text
