"""listImages on a real S3, and over a listing of its own making where time or size matter."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import ROOT, Cloud
from tests.strangers import account, open_bucket

BUCKET = "list-images-tests"
OUTPUT = "batch/run"


class Clock:
    """A Lambda's context with so many milliseconds left at each look."""

    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:listImages"

    def __init__(self, *left: int) -> None:
        self.left = list(left)

    def get_remaining_time_in_millis(self) -> int:
        return self.left.pop(0) if self.left else 300_000


@pytest.fixture
def handler(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("list_images", ROOT / "lambdas" / "list_images.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclasses look for their annotations
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def s3(cloud: Cloud) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def event(prefix: str, shard_size: int, **further: Any) -> dict[str, Any]:
    return {
        "bucket": BUCKET,
        "prefix": prefix,
        "output_bucket": BUCKET,
        "output": OUTPUT,
        "shard_size": shard_size,
        **further,
    }


def manifest(s3: Any, shards: int, output: str = OUTPUT) -> list[list[str]]:
    bodies = [
        s3.get_object(Bucket=BUCKET, Key=f"{output}/manifest/shard-{index:05}.jsonl")["Body"].read()
        for index in range(shards)
    ]
    return [[json.loads(line)["key"] for line in body.splitlines()] for body in bodies]


def test_odd_keys_survive_and_the_rest_is_counted(handler: ModuleType, s3: Any) -> None:
    names = ["a.png", "b/c d.JPG", "ä中 +%2F&.jpeg", "quote\"'\\\n\t.png", "😀.png", " lead.png"]
    for name in names:
        s3.put_object(Bucket=BUCKET, Key=f"odd/{name}", Body=b"x")
    for name, body in (("none.png", b""), ("notes.txt", b"x"), ("folder/", b""), ("png", b"x")):
        s3.put_object(Bucket=BUCKET, Key=f"odd/{name}", Body=body)
    answer = handler.lambda_handler(event("odd/", 4), Clock())
    counts = {name: answer[name] for name in ("shards", "images", "not_images", "empty", "done")}
    assert counts == {"shards": 2, "images": 6, "not_images": 2, "empty": 1, "done": True}
    shards = manifest(s3, 2)
    assert [len(shard) for shard in shards] == [4, 2]
    assert sorted(key for shard in shards for key in shard) == sorted(f"odd/{name}" for name in names)


def test_nothing_below_the_prefix_makes_no_shard(handler: ModuleType, s3: Any) -> None:
    answer = handler.lambda_handler(event("nowhere/", 4), Clock())
    assert (answer["images"], answer["shards"], answer["done"]) == (0, 0, True)


def test_the_jobs_own_output_is_not_its_input(handler: ModuleType, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="batch/own/results/x.png", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="batch/other/x.png", Body=b"x")
    answer = handler.lambda_handler(event("batch/o", 4, output="batch/own"), Clock())
    assert answer["images"] == 1
    assert manifest(s3, 1, "batch/own") == [["batch/other/x.png"]]


def simulated(monkeypatch: pytest.MonkeyPatch, handler: ModuleType, count: int) -> None:
    """Pages of a thousand keys as S3 gives them, from whichever key on is asked for."""
    keys = [f"many/{index:07}.png" for index in range(count)]

    def pages(bucket: str, owner: str, prefix: str, after: str) -> Any:
        left = [key for key in keys if key > after]
        for start in range(0, len(left) or 1, 1000):
            contents = [{"Key": key, "Size": 1} for key in left[start : start + 1000]]
            yield {"Contents": contents, "IsTruncated": start + 1000 < len(left)}

    monkeypatch.setattr(handler, "pages", pages)


def test_it_goes_on_where_the_time_ran_out(handler: ModuleType, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated(monkeypatch, handler, 5_300)
    first = handler.lambda_handler(event("many/", 700), Clock(300_000, 300_000, 1_000))
    assert (first["done"], first["shards"], first["images"]) == (False, 4, 2_800)
    del first["done"]
    second = handler.lambda_handler(event("many/", 700, progress=first), Clock())
    assert (second["done"], second["shards"], second["images"]) == (True, 8, 5_300)
    keys = [key for shard in manifest(s3, 8) for key in shard]
    assert keys == [f"many/{index:07}.png" for index in range(5_300)]


def test_a_shard_that_no_call_can_fill_is_an_error(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated(monkeypatch, handler, 3_000)
    with pytest.raises(handler.TooSlow, match="TOO_SLOW: not one shard of 5000 keys"):
        handler.lambda_handler(event("many/", 5_000), Clock(1_000))


def test_more_shards_than_a_job_can_have_are_refused(
    handler: ModuleType, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated(monkeypatch, handler, 50)
    monkeypatch.setattr(handler, "MOST_SHARDS", 4)
    with pytest.raises(handler.TooManyImages, match="more than 4 shards of 10"):
        handler.lambda_handler(event("many/", 10), Clock())


@pytest.mark.parametrize("changes", [{"bucket": ""}, {"output": None}, {"shard_size": 0}, {"shard_size": "10"}])
def test_an_event_that_lacks_something_is_refused(handler: ModuleType, changes: dict[str, Any]) -> None:
    with pytest.raises(handler.InvalidEvent, match=f"INVALID_EVENT: {next(iter(changes))}"):
        handler.lambda_handler(event("x/", 10) | changes, Clock())


def test_buckets_that_a_stranger_opened_are_not_used(handler: ModuleType, s3: Any) -> None:
    theirs = "list-images-tests-of-a-stranger"
    owner = open_bucket(theirs)
    owner.put_object(Bucket=theirs, Key="x/a.png", Body=b"theirs")
    s3.put_object(Bucket=BUCKET, Key="mine/a.png", Body=b"x")
    for place in ({"bucket": theirs, "prefix": "x/"}, {"prefix": "mine/", "output_bucket": theirs}):
        with pytest.raises(ClientError, match="AccessDenied"):
            handler.lambda_handler(event("x/", 10) | place, Clock())
    assert [item["Key"] for item in owner.list_objects_v2(Bucket=theirs)["Contents"]] == ["x/a.png"]
    named = event("x/", 10, output="batch/named", bucket_owner=account()) | {"bucket": theirs}
    answer = handler.lambda_handler(named, Clock())
    assert answer["images"] == 1, "whoever names the owner means that bucket"
