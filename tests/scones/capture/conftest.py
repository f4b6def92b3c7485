"""Captures to report on: real ones, and lines of any kind under SageMaker's key layout in a folder."""

from __future__ import annotations

import base64
import io
import json
import shutil
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from include.scones.capture.places import Places
from include.scones.capture.report import report_on
from include.scones.capture.stores.folder import FolderStore
from include.scones.capture.window import DAY, Window

REAL_ENDPOINT = "image-classification-2024-10-15-12-46-27-184"
ENDPOINT = "scones-test"
CLASSES = ["bicycle", "motorcycle"]
TESTED = "datasets/0123456789abcdef/"
DATASET = {
    "source": "the archive",
    "provenance": "cifar-100",
    "prefix": TESTED,
    "classes": CLASSES,
    "train": 1000,
    "test": 200,
}


def day(text: str) -> Window:
    start = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return Window(start, start + DAY)


def png(seed: int = 0, size: tuple[int, int] = (32, 32)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def part(data: str | None, kind: str, encoding: str, mode: str) -> dict[str, Any]:
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def record(time: str, answer: str = "[0.75, 0.25]", image: bytes | None = None, **event: str) -> dict[str, Any]:
    """One capture as SageMaker writes it; `event` adds to, or replaces, what its metadata hold."""
    data = base64.b64encode(png() if image is None else image).decode()
    return {
        "captureData": {
            "endpointInput": part(data, "image/png", "BASE64", "INPUT"),
            "endpointOutput": part(answer, "application/json", "JSON", "OUTPUT"),
        },
        "eventMetadata": {"eventId": str(uuid.uuid4()), "inferenceTime": time, **event},
        "eventVersion": "0",
    }


def compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


class Captures:
    """A folder of captures and reports."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = FolderStore(root)

    def write(self, hour: str, lines: Iterable[Any], variant: str = "AllTraffic", name: str = "00-00-000-x") -> str:
        """One file under `hour` (yyyy/mm/dd/hh) of documents, or of bytes as they are; gives back its key."""
        key = f"data_capture/{ENDPOINT}/{variant}/{hour}/{name}.jsonl"
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for line in lines:
                file.write((line if isinstance(line, bytes) else compact(line)) + b"\n")
        return key

    def report(self, window: Window, endpoint: str = ENDPOINT, **options: Any) -> dict[str, Any]:
        return report_on(self.store, Places(endpoint), window, 0.93, dataset=DATASET, **options)

    def page(self, window: Window) -> str:
        return (self.root / "reports/capture" / window.name / "index.html").read_text()


@pytest.fixture
def captures(tmp_path: Path) -> Captures:
    return Captures(tmp_path)


@pytest.fixture
def real(captures: Captures, shared_data: Path) -> Captures:
    """The 22 real records."""
    shutil.copytree(shared_data / "captures", captures.root, dirs_exist_ok=True)
    return captures
