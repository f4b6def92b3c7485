"""`make demo`: days of invented traffic with a drift in it, answered by the real model, and the reports of those days.

What it writes says that it is a demo, and the same day gives the same traffic however often it is run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from botocore.config import Config
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from include.launcher.errors import LaunchError
from include.scones import manifests
from include.scones.aws import buckets
from include.scones.aws.clients import connect
from include.scones.aws.endpoints import find_endpoint
from include.scones.capture import project
from include.scones.capture.publishing.metrics import publish_metrics
from include.scones.capture.reading.counting import count_records
from include.scones.capture.window import Window
from include.scones.demo import captures, traffic
from include.scones.demo.traffic import LabelledImage, Request
from include.scones.models.history import dataset_in_service
from include.scones.s3_layout import image_key
from include.scones.settings import DEMO, MEASUREMENT, Settings

WORKERS = 8
LIVE_REQUESTS = 120
CAPTURE_SECONDS = 60
POLL_SECONDS = 2.0


class Demo:
    """The demo of one project's endpoint; `today` is the UTC day whose traffic is sent live."""

    def __init__(self, settings: Settings, console: Console, today: date) -> None:
        self.settings = settings
        self.today = today
        self._console = console
        pool = Config(max_pool_connections=2 * WORKERS, connect_timeout=5, read_timeout=60)
        self._s3 = buckets.client(settings.account, settings.region, pool)
        self._runtime = connect("sagemaker-runtime", config=pool)

    @property
    def captures_prefix(self) -> str:
        folder = self.settings.capture_uri.removeprefix(f"s3://{self.settings.bucket}/")
        return f"{folder}/{self.settings.endpoint}"

    def run(self) -> list[dict[str, Any]]:
        """Write the captures of the days before, ask live, and build all their reports; gives back their summaries.

        Raises:
            LaunchError: no endpoint is in service, or the captures of the live requests do not arrive.
        """
        self._check_endpoint()
        images = self._test_images()
        days = traffic.days(self.today)
        for day in track(days, "traffic of the days before", console=self._console):
            self._write(day, traffic.requests(day, images, drifts=day in days[-traffic.DRIFTED_DAYS :]))
        # In their order, as each is compared with those before it.
        summaries = [self._report(day) for day in track(days, "their reports", console=self._console)]
        summaries.append(self._live(images))
        for summary in summaries:
            publish_metrics(summary)
        return summaries

    def _check_endpoint(self) -> None:
        name, found = self.settings.endpoint, find_endpoint(self.settings)
        if found is None:
            raise LaunchError(f"there is no endpoint {name}: `make run` makes it")
        status = found["EndpointStatus"]
        if status != "InService":
            raise LaunchError(f"the endpoint {name} is {status}, not InService: wait, or deploy it again")

    def _test_images(self) -> list[LabelledImage]:
        prefix = dataset_in_service(self.settings)["prefix"]

        def read(image: manifests.ManifestImage) -> LabelledImage:
            key = image_key(prefix, "test", image.name)
            answer = self._s3.get_object(Bucket=self.settings.bucket, Key=key)
            return LabelledImage(answer["Body"].read(), image.label)

        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(read, manifests.read_test_images(self._s3, self.settings.bucket, prefix)))

    def _write(self, day: date, requests: Sequence[Request]) -> None:
        """The model is asked as it is measured, so that today's report does not take these requests for traffic."""
        with ThreadPoolExecutor(WORKERS) as pool:
            answers = list(pool.map(partial(self._ask, mark=f"{MEASUREMENT}-"), requests))
            files = captures.files(self.captures_prefix, zip(requests, answers, strict=True))
            list(pool.map(self._put, files, files.values()))
        self._remove(f"{self.captures_prefix}/{captures.VARIANT}/{day:%Y/%m/%d}/", keep=files)

    def _ask(self, request: Request, mark: str = "") -> list[float]:
        answer = self._runtime.invoke_endpoint(
            EndpointName=self.settings.endpoint,
            ContentType=request.content_type,
            Accept="application/json",
            Body=request.body,
            InferenceId=mark + request.inference_id,
        )
        probabilities: list[float] = json.load(answer["Body"])
        return probabilities

    def _put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=self.settings.bucket, Key=key, Body=body)

    def _remove(self, prefix: str, keep: Iterable[str]) -> None:
        """What an earlier demo, of other test images, left of a day."""
        found = self._s3.list_objects_v2(Bucket=self.settings.bucket, Prefix=prefix).get("Contents", [])
        for key in {item["Key"] for item in found}.difference(keep):
            self._s3.delete_object(Bucket=self.settings.bucket, Key=key)

    def _report(self, day: date) -> dict[str, Any]:
        """As `capture_report` builds it: of the whole day, or of today so far."""
        return project.build(self.settings, _until_now(day))

    def _live(self, images: Sequence[LabelledImage]) -> dict[str, Any]:
        """Drifted requests as anybody makes them, once a day; the report of the day once their captures are there."""
        if self._captured_live() < LIVE_REQUESTS:
            requests = traffic.requests(self.today, images, drifts=True, count=LIVE_REQUESTS)
            for request in track(requests, "live requests", console=self._console):
                self._ask(request)
            deadline = time.monotonic() + CAPTURE_SECONDS
            while (captured := self._captured_live()) < LIVE_REQUESTS:
                if time.monotonic() > deadline:
                    raise LaunchError(
                        f"of {LIVE_REQUESTS} live requests {captured} were captured in {CAPTURE_SECONDS} s: "
                        f"does {self.settings.endpoint} capture all of its traffic?"
                    )
                time.sleep(POLL_SECONDS)
        return self._report(self.today)

    def _captured_live(self) -> int:
        today = _until_now(self.today)
        return count_records(self.settings.bucket, self.settings.endpoint, today.start, today.end, marked=DEMO)


def _until_now(day: date) -> Window:
    whole = Window.day_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
    return whole.until(datetime.now(UTC))


def alarms(settings: Settings) -> dict[str, str]:
    """The states of the project's alarms by their names."""
    pages = connect("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{settings.project}-")
    return {alarm["AlarmName"]: alarm["StateValue"] for page in pages for alarm in page["MetricAlarms"]}


def show(console: Console, summaries: Sequence[dict[str, Any]]) -> None:
    """A line a day: how much, how sure, and what the report says has moved."""
    table = Table(title="What the reports say of the demo", box=box.SIMPLE_HEAD, title_justify="left")
    for column in ("day", "records", "demo", "below threshold", "brightness", "moved"):
        table.add_column(column)
    for s in summaries:
        share, bright = s["low_confidence_share"], s["inputs"]["brightness"]["median"]
        moved = {item["subject"] for item in s["drift"] if item["verdict"] == "moved"}
        figures = [
            "-" if value is None else form.format(value) for value, form in ((share, "{:.0%}"), (bright, "{:.2f}"))
        ]
        table.add_row(s["date"], str(s["records"]), str(s["demo"]), *figures, ", ".join(sorted(moved)))
    console.print(table)
