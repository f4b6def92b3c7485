"""What is asked on each day of the demo: when, and about which picture; the same for a day and its test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from include.scones.demo.pictures import DAYLIGHT, DUSK, foreign, pixels_of, retaken
from include.scones.settings import DEMO

# As many as a report compares with, then the days on which the traffic is another one.
CALM_DAYS = 7
DRIFTED_DAYS = 3
REQUESTS_A_DAY = 240
UNCHANGED = 0.3  # of the requests on a calm day: test images as they are, whose class the report knows
UNCHANGED_IN_DRIFT = 0.1
FOREIGN = 0.06
# Deliveries are ordered for breakfast and for the afternoon's tea.
HOURS = np.array([1, 1, 1, 1, 1, 2, 5, 10, 14, 12, 8, 6, 6, 7, 10, 14, 15, 12, 8, 5, 4, 3, 2, 1], float)


@dataclass(frozen=True)
class LabelledImage:
    """A test image's bytes, and its class's place among all classes."""

    body: bytes
    label: int


@dataclass(frozen=True)
class Request:
    """One request to the endpoint, and the moment at which it is meant to have been made."""

    time: datetime
    inference_id: str
    content_type: str
    body: bytes


def days(today: date) -> list[date]:
    """The days before `today` that have demo traffic, the earliest first; the last DRIFTED_DAYS of them drift."""
    return [today - timedelta(days=n) for n in range(CALM_DAYS + DRIFTED_DAYS, 0, -1)]


def requests(day: date, images: Sequence[LabelledImage], *, drifts: bool, count: int = REQUESTS_A_DAY) -> list[Request]:
    """The requests of one UTC day by time. Where it drifts, they are darker, of another class mix, a few foreign."""
    random = np.random.default_rng(day.toordinal())
    by_class = [[image.body for image in images if image.label == n] for n in range(1 + max(i.label for i in images))]
    mix = class_mix(len(by_class), drifts=drifts)
    found = []
    for number, moment in enumerate(_moments(day, random, count)):
        kind, body = _picture(by_class[int(random.choice(len(mix), p=mix))], random, drifts=drifts)
        found.append(Request(moment, f"{DEMO}-{day:%Y%m%d}-{number:04}", kind, body))
    return found


def class_mix(classes: int, *, drifts: bool) -> list[float]:
    """Shares of the classes: 2 to 3 for two of them on a calm day, 4 to 1 when it drifts."""
    weights = np.arange(classes, 0, -1) ** 2 if drifts else np.arange(2, classes + 2)
    return [float(share) for share in weights / weights.sum()]


def _moments(day: date, random: np.random.Generator, count: int) -> list[datetime]:
    midnight = datetime.combine(day, time(), UTC)
    hours = random.choice(24, count, p=HOURS / HOURS.sum())
    seconds = sorted((3600 * hours + random.integers(0, 3600, count)).tolist())
    return [midnight + timedelta(seconds=second) for second in seconds]


def _picture(bodies: Sequence[bytes], random: np.random.Generator, *, drifts: bool) -> tuple[str, bytes]:
    if drifts and random.random() < FOREIGN:
        return "image/jpeg", foreign(random)
    body = bodies[int(random.integers(len(bodies)))]
    if random.random() < (UNCHANGED_IN_DRIFT if drifts else UNCHANGED):
        return "image/png", body
    return "image/png", retaken(pixels_of(body), random, DUSK if drifts else DAYLIGHT)
