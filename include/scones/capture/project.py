"""The reports of the project's endpoint: what they need, which of them are missing, and one of any window."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from include.scones import stacks
from include.scones.aws import buckets
from include.scones.aws.endpoints import find_endpoint
from include.scones.capture.analysis.days import written_report
from include.scones.capture.errors import NothingCapturedError
from include.scones.capture.places import Places
from include.scones.capture.reading.listing import list_captures
from include.scones.capture.report import build_report
from include.scones.capture.stores.opening import open_bucket
from include.scones.capture.stores.store import Store
from include.scones.capture.window import Window
from include.scones.models.predictions import read_baseline
from include.scones.settings import Settings

# Nights; an outage that is longer leaves reports for a backfill to make.
LOOK_BACK = 14


def check_captures(settings: Settings, window: Window, endpoint: str = "") -> None:
    """Raise unless there is something to report on, be it that nobody asked the endpoint.

    Raises:
        NothingCapturedError: there is no bucket, or no capture in the window and no endpoint either, or a report that
            was made while there were captures.
        BucketError: the bucket is another account's, or lies in another region.
    """
    if not buckets.exists(settings):
        raise NothingCapturedError(f"there is no bucket {settings.bucket}: run cifar_etl first")
    store, places = open_bucket(settings.bucket), Places(endpoint or settings.endpoint)
    if _is_captured(store, places, window):
        return
    if (written := written_report(store, places, window)) and written["records"]:
        raise NothingCapturedError(f"the captures of {window.title} are gone: its report stays as it is")
    if find_endpoint(settings, places.endpoint) is None:
        raise NothingCapturedError(
            f"there is no endpoint {places.endpoint}, nor a capture of one from {window.start} to {window.end}:"
            " run train_and_deploy first"
        )


def build(settings: Settings, window: Window, *, endpoint: str = "", threshold: float | None = None) -> dict[str, Any]:
    """The report of a window, by the threshold and the model that were in force at its end; gives back its summary."""
    return build_report(
        bucket=settings.bucket,
        endpoint=endpoint or settings.endpoint,
        start=window.start,
        end=window.end,
        threshold=stacks.threshold_at(settings, window.end) if threshold is None else threshold,
        baseline=read_baseline(settings, window.end),
    )


def missed_days(settings: Settings, before: datetime) -> list[Window]:
    """Of the LOOK_BACK days before that of `before`, those that have captures and no report, the earliest first."""
    store, places = open_bucket(settings.bucket), Places(settings.endpoint)
    days = reversed(Window.day_of(before).days_before(LOOK_BACK))
    unwritten = (day for day in days if written_report(store, places, day) is None)
    return [day for day in unwritten if _is_captured(store, places, day)]


def _is_captured(store: Store, places: Places, window: Window) -> bool:
    return any(file.inside for file in list_captures(store, places.endpoint_captures, window).files)
