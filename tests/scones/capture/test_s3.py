"""The same on S3, through the calls that the DAG makes."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
from botocore.config import Config

from include.scones.aws.small_objects import SmallObjects
from include.scones.capture import __main__ as command
from include.scones.capture.publishing.copies import copy_report
from include.scones.capture.publishing.metrics import publish_metrics
from include.scones.capture.reading.counting import count_records
from include.scones.capture.report import build_report
from include.scones.capture.stores.bucket import READERS
from tests.scones.capture.conftest import DATASET, REAL_ENDPOINT, TESTED, day, png, record

DAY = day("2024-10-16")
FOLDER = "reports/capture/ds=2024-10-16/"


@pytest.fixture
def real_bucket(bucket: str, shared_data: Path) -> str:
    """The 22 real records, the data description and a test set in a bucket."""
    client = boto3.client("s3")
    root = shared_data / "captures"
    for path in root.rglob("*.jsonl"):
        client.put_object(Bucket=bucket, Key=path.relative_to(root).as_posix(), Body=path.read_bytes())
    client.put_object(Bucket=bucket, Key="datasets/current.json", Body=json.dumps({"dataset": DATASET}))
    return bucket


def build(bucket: str, **options: Any) -> dict[str, Any]:
    given = {"start": DAY.start, "end": DAY.end} | options
    return build_report(bucket=bucket, endpoint=REAL_ENDPOINT, threshold=0.93, **given)


def test_a_report_on_the_real_records(real_bucket: str) -> None:
    client = boto3.client("s3")
    line = json.loads(
        next(
            client.get_object(Bucket=real_bucket, Key=item["Key"])["Body"].read().splitlines()[0]
            for item in client.list_objects_v2(Bucket=real_bucket, Prefix="data_capture/")["Contents"]
            if "26-33-828" in item["Key"]
        )
    )
    image = base64.b64decode(line["captureData"]["endpointInput"]["data"])
    client.put_object(Bucket=real_bucket, Key=f"{TESTED}test/known.png", Body=image)
    client.put_object(Bucket=real_bucket, Key=f"{TESTED}test.lst", Body=b"0\t0\tknown.png\n1\t1\tmissing.png\n")
    summary = build(real_bucket)
    assert (summary["records"], summary["low_confidence"], summary["malformed"]) == (20, 7, 0)
    assert summary["report"] == f"s3://{real_bucket}/{FOLDER}index.html"
    assert (summary["dataset"], summary["classes"][1]["name"]) == (DATASET, "motorcycle")
    assert (summary["truth"]["predictions"], summary["truth"]["right"]) == (1, 0)
    assert summary["truth"]["unreadable_test_images"] == 1
    stored = {item["Key"] for item in client.list_objects_v2(Bucket=real_bucket, Prefix="reports/")["Contents"]}
    names = ["index.html", "summary.json", "records.parquet", "scatter.png", "histogram.png", "hourly.png"]
    assert stored >= {"reports/capture/index.html", *(FOLDER + name for name in names)}
    page = client.get_object(Bucket=real_bucket, Key=f"{FOLDER}index.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    body = client.get_object(Bucket=real_bucket, Key=f"{FOLDER}summary.json")["Body"].read()
    assert json.loads(body) == summary == json.loads(json.dumps(summary))
    table = pq.read_table(
        io.BytesIO(client.get_object(Bucket=real_bucket, Key=f"{FOLDER}records.parquet")["Body"].read())
    )
    assert (table.num_rows, table.column("label").null_count) == (20, 19)
    assert build(real_bucket, client=client) == summary


def test_counting_what_has_arrived(real_bucket: str) -> None:
    assert count_records(real_bucket, REAL_ENDPOINT, DAY.start, DAY.end) == 20
    since = DAY.start + timedelta(hours=9, minutes=30)
    assert count_records(real_bucket, REAL_ENDPOINT, since, DAY.end) == 8
    assert 5 <= count_records(real_bucket, REAL_ENDPOINT, DAY.start, DAY.end, at_least=5) < 20
    assert count_records(real_bucket, "nobody", DAY.start, DAY.end) == 0


class Requests:
    """Counts a client's requests; the first of them to read a capture wait until `together` are under way at once."""

    def __init__(self, client: Any, together: int) -> None:
        self.lists = 0
        self.reads: Counter[str] = Counter()
        self.together = threading.Barrier(together)
        self._lock = threading.Lock()
        client.meta.events.register("before-call.s3.ListObjectsV2", self._listed)
        client.meta.events.register("provide-client-params.s3.GetObject", self._read)

    def _listed(self, **_: Any) -> None:
        with self._lock:
            self.lists += 1

    def _read(self, params: dict[str, Any], **_: Any) -> None:
        if not params["Key"].startswith("data_capture/"):
            return
        with self._lock:
            self.reads[params["Key"]] += 1
            waits = self.reads.total() <= self.together.parties
        if waits:
            self.together.wait(timeout=60)


def test_many_small_files_are_read_once_each_and_many_at_a_time(bucket: str) -> None:
    prefix = f"data_capture/{REAL_ENDPOINT}/AllTraffic/2024/10/16"
    pictures = [png(seed) for seed in range(7)]
    keys = [f"{prefix}/{5 + n % 2:02}/00-01-000-{n}.jsonl" for n in range(2000)]

    def put(n: int) -> None:
        line = record(f"2024-10-16T{5 + n % 2:02}:00:01Z", image=pictures[n % 7], eventId=str(n))
        objects.write(bucket, keys[n], json.dumps(line).encode(), "application/json")

    with SmallObjects(READERS) as objects, ThreadPoolExecutor(READERS) as pool:
        list(pool.map(put, range(len(keys))))
    client = boto3.client("s3", config=Config(max_pool_connections=READERS))
    requests = Requests(client, together=READERS)
    summary = build(bucket, client=client)
    assert (summary["records"], summary["files"], summary["malformed"]) == (len(keys), len(keys), 0)
    assert summary["inputs"]["distinct"] == 7
    assert requests.reads == dict.fromkeys(keys, 1)
    # Each hour of the day and of the days before is a request, and each further thousand files.
    assert requests.lists < 250


def test_the_days_figures_are_cloudwatch_metrics(real_bucket: str) -> None:
    client = boto3.client("cloudwatch")
    summary = build(real_bucket)
    assert publish_metrics(summary) == 0, "CloudWatch refuses what is older than two weeks"
    end = datetime.now(UTC).replace(microsecond=0)
    summary["window"]["end"] = end.isoformat()
    summary["endpoint"] = real_bucket
    assert publish_metrics(summary) == 3
    found = {}
    for name in ("Records", "Malformed", "LowConfidenceShare"):
        (point,) = client.get_metric_statistics(
            Namespace="Scones/Capture",
            MetricName=name,
            Dimensions=[{"Name": "EndpointName", "Value": real_bucket}],
            StartTime=end - timedelta(hours=1),
            EndTime=end + timedelta(minutes=1),
            Period=3600 * 2,
            Statistics=["Maximum"],
        )["Datapoints"]
        found[name] = point["Maximum"]
    assert found == {"Records": 20, "Malformed": 0, "LowConfidenceShare": 0.35}


def test_the_command_builds_a_days_report(
    real_bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCONES_BUCKET", real_bucket)
    arguments = ["--date", "2024-10-16", "--endpoint", REAL_ENDPOINT]
    assert command.main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == [
        "20 records, 35.0 % below 0.93, 0 malformed",
        f"s3://{real_bucket}/{FOLDER}index.html",
    ]


def test_a_copy_of_a_report_opens_where_it_lies(
    real_bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SCONES_BUCKET", real_bucket)
    for date in ("2024-10-15", "2024-10-16"):
        build(real_bucket, start=day(date).start, end=day(date).end)
    window = build(real_bucket, end=DAY.start + timedelta(hours=12))
    beside = copy_report(window["report"], tmp_path)
    arguments = ["--date", "2024-10-16", "--endpoint", REAL_ENDPOINT, "--copy-to", str(tmp_path)]
    assert command.main(arguments) == 0
    page = tmp_path / FOLDER / "index.html"
    assert capsys.readouterr().out.splitlines()[-1] == page.as_uri()
    followed = {page}
    for path in (page, beside, page.parents[1] / "index.html"):
        text = path.read_text()
        assert not re.search("(s3|https?)://", text)
        followed |= {(path.parent / link).resolve() for link in re.findall(r'href="([^"]+)"', text)}
    names = ["index.html", "summary.json", "records.parquet", "scatter.png", "histogram.png", "hourly.png"]
    assert followed == {page.parents[1] / "index.html", *(p.parent / name for p in (page, beside) for name in names)}
    assert all(path.is_file() for path in followed)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("bucket", "there is no bucket there-is-none: run cifar_etl first"),
        (
            "endpoint",
            "there is no endpoint nobodys, nor a capture of one from 2024-10-16 .*: run train_and_deploy first",
        ),
        ("day", "2130-01-01 has not begun: choose a day that has, such as "),
    ],
)
def test_the_command_says_what_is_missing_in_one_sentence(
    bucket: str, missing: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCONES_BUCKET", "there-is-none" if missing == "bucket" else bucket)
    date = "2130-01-01" if missing == "day" else "2024-10-16"
    assert command.main(["--date", date, "--endpoint", "nobodys"]) == 1
    said = capsys.readouterr()
    assert re.match(sentence, said.err)
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_today_is_reported_so_far(
    bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = datetime.now(UTC)
    line = record(moment.isoformat())
    key = f"data_capture/{REAL_ENDPOINT}/AllTraffic/{moment:%Y/%m/%d/%H}/00-00-000-x.jsonl"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(line).encode())
    monkeypatch.setenv("SCONES_BUCKET", bucket)
    assert command.main(["--date", f"{moment:%Y-%m-%d}", "--endpoint", REAL_ENDPOINT]) == 0
    records, page = capsys.readouterr().out.splitlines()
    assert records.startswith("1 records")
    # Past midnight the day is over.
    assert re.search("/(window|ds)=", page)
    assert "/window=" in page or datetime.now(UTC).date() > moment.date()
