"""Measures against values worked out by hand or by SciPy, and verdicts that neither cry wolf nor sleep."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import orjson
import pytest
from scipy import stats  # type: ignore[import-untyped]

from include.scones.capture.analysis.days import days_before
from include.scones.capture.analysis.drift import compare, in_words, jensen_shannon, kolmogorov, psi
from include.scones.capture.analysis.drift_history import COMPARED
from include.scones.capture.analysis.statistics import histogram
from include.scones.capture.places import Places
from tests.scones.capture.conftest import CLASSES, ENDPOINT, Captures, day, record


def confidences(sharpness: float, count: int, seed: int) -> list[int]:
    return histogram(1 - 0.5 * np.random.default_rng(seed).beta(1, sharpness, count), 100)


def test_the_measures_agree_with_their_definitions() -> None:
    a, b = np.array([800, 200]), np.array([500, 500])
    assert psi(a, b) == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4), rel=0.01)
    expected = stats.entropy([0.8, 0.2], [0.65, 0.35], 2) + stats.entropy([0.5, 0.5], [0.65, 0.35], 2)
    assert jensen_shannon(a, b) == pytest.approx(expected / 2, rel=0.01)
    for value in (0.1, 0.5, 1.0, 1.36, 2.5):
        assert kolmogorov(value) == pytest.approx(stats.kstwobign.sf(value), abs=1e-9)


def test_kolmogorov_smirnov_agrees_with_scipy_on_binned_values() -> None:
    random = np.random.default_rng(1)
    a, b = random.beta(5, 1, 400), random.beta(4, 1, 300)
    bins = [np.ceil(values * 100) for values in (a, b)]
    found = compare(histogram(a, 100), histogram(b, 100))
    expected = stats.ks_2samp(*bins, method="asymp")
    assert found.ks == pytest.approx(expected.statistic, rel=1e-5)


def test_the_same_distribution_is_steady_whatever_its_size() -> None:
    verdicts = [
        compare(confidences(6, count, seed), confidences(6, 300, 1000 + seed)).verdict
        for count in (60, 300, 10_000)
        for seed in range(40)
    ]
    assert verdicts.count("moved") == 0
    assert verdicts.count("steady") >= 117


def test_a_worse_model_has_moved() -> None:
    found = compare(confidences(2, 300, 1), confidences(6, 300, 2))
    assert found.verdict == "moved"
    said = in_words("confidence", "the 7 days before", found)
    assert said.startswith("Confidence has MOVED against the 7 days before: PSI ")


def test_too_little_is_not_judged() -> None:
    assert compare([49], [10_000]).verdict == "too-few"


def test_a_day_is_compared_with_the_test_images(captures: Captures) -> None:
    lines = [record(f"2024-10-16T05:00:{n:02}Z", f"[{0.6 + n / 1000}, 0.1]") for n in range(60)]
    captures.write("2024/10/16/05", lines)
    summary = captures.report(day("2024-10-16"), baseline=[0.99] * 60)
    (found,) = summary["drift"]
    assert (found["subject"], found["against"]) == ("confidence", "the confidence at training time")
    assert found["verdict"] == "moved"
    assert "On average it was 0.630, against 0.99" in found["words"]
    assert escape(found["words"]) in captures.page(day("2024-10-16"))


def test_the_days_before_are_compared_with(captures: Captures) -> None:
    def write(date: str, answer: str) -> dict[str, Any]:
        lines = [record(f"2024-10-{date}T05:00:{n:02}Z", answer) for n in range(60)]
        captures.write(f"2024/10/{date}/05", lines)
        return captures.report(day(f"2024-10-{date}"))

    assert write("14", "[0.95, 0.05]")["drift"] == []
    steady = write("15", "[0.95, 0.05]")["drift"]
    assert [(item["subject"], item["verdict"]) for item in steady] == [
        ("confidence", "steady"),
        ("the mix of predicted classes", "steady"),
        ("the brightness of the images", "too-few"),
    ]
    moved = write("16", "[0.3, 0.7]")["drift"]
    assert [item["verdict"] for item in moved[:2]] == ["moved", "moved"]
    assert moved[0]["against"] == "2 of the 7 days before"


def test_a_day_whose_older_report_lacks_a_member_is_read_again(captures: Captures) -> None:
    captures.write("2024/10/15/05", [record(f"2024-10-15T05:00:{n:02}Z") for n in range(60)])
    complete = captures.report(day("2024-10-15"))
    path = captures.root / "reports/capture/ds=2024-10-15/summary.json"
    for name in ("format", "endpoint", "window", *(names[0] for names in COMPARED)):
        path.write_bytes(orjson.dumps({key: value for key, value in complete.items() if key != name}))
        found, *_ = days_before(captures.store, Places(ENDPOINT), day("2024-10-16"), 0.93, CLASSES)
        assert found[name] == complete[name]
    path.write_bytes(orjson.dumps({**complete, "records": "as written"}))
    found, *_ = days_before(captures.store, Places(ENDPOINT), day("2024-10-16"), 0.93, CLASSES)
    assert found["records"] == "as written"
