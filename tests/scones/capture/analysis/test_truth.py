"""Accuracy where the class is known by content, checked on the real images that the real captures are of."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from include.scones.capture.analysis.truth import calibration, calibration_error
from include.scones.cifar.archive import Archive
from tests.scones.capture.conftest import REAL_ENDPOINT, TESTED, Captures, day, png, record

DAY = day("2024-10-16")


def know(captures: Captures, images: list[tuple[bytes, int]]) -> None:
    folder = captures.root / TESTED / "test"
    folder.mkdir(parents=True)
    for n, (data, _) in enumerate(images):
        (folder / f"{n}.png").write_bytes(data)
    (folder.parent / "test.lst").write_text("".join(f"{n}\t{label}\t{n}.png\n" for n, (_, label) in enumerate(images)))


def encoded(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], **options: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def test_the_real_captures_are_of_real_test_images(real: Captures, shared_data: Path) -> None:
    """They were encoded by another program, so that only their pixels are the same."""
    archive = Archive(shared_data / "cifar-100-bicycle-motorcycle.tar.gz")
    know(real, [(encoded(image.pixels), image.label) for image in archive.images("test", [8, 48])])
    truth = real.report(DAY, REAL_ENDPOINT)["truth"]
    assert (truth["test_images"], truth["predictions"], truth["distinct"]) == (200, 20, 20)
    assert sum(pair["count"] for pair in truth["confusion"]) == 20
    assert "Calibration" in real.page(DAY)


def test_images_are_known_by_bytes_or_by_pixels_and_not_when_ambiguous(captures: Captures) -> None:
    random = np.random.default_rng(0)
    pixels = [random.integers(0, 256, (8, 8, 3), dtype=np.uint8) for _ in range(3)]
    know(captures, [(encoded(pixels[0]), 0), (encoded(pixels[1]), 1), (encoded(pixels[2]), 0), (encoded(pixels[2]), 1)])
    sent = [encoded(pixels[0]), encoded(pixels[1], compress_level=0), encoded(pixels[2]), png(9)]
    lines = [record(f"2024-10-16T05:00:0{n}Z", "[0.75, 0.25]", image) for n, image in enumerate(sent)]
    captures.write("2024/10/16/05", lines)
    truth = captures.report(DAY)["truth"]
    assert (truth["predictions"], truth["right"], truth["accuracy"]) == (2, 1, 0.5)
    assert truth["confusion"] == [
        {"label": 0, "predicted": 0, "count": 1},
        {"label": 1, "predicted": 0, "count": 1},
    ]
    assert truth["calibration_error"] == pytest.approx(0.25)
    assert "but truly motorcycle" in captures.page(DAY)


def test_calibration_bins() -> None:
    bins = calibration(np.array([0.95, 0.97, 0.55, 1.0]), np.array([True, False, True, True]))
    assert [item["count"] for item in bins] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert bins[9]["accuracy"] == pytest.approx(2 / 3)
    assert calibration_error(bins) == pytest.approx((0.45 + 3 * abs(2.92 / 3 - 2 / 3)) / 4)
    assert calibration_error(calibration(np.array([]), np.array([], bool))) is None
