"""Everything the tuner's page shows of the test images and of the last days, at every threshold at once."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from include.scones.capture.reading.images import thumbnail
from include.scones.capture.stores.bucket import S3Store
from include.scones.settings import Settings
from include.scones.tuning.curves import THRESHOLDS, accepted, confusion, nearest, presets
from include.scones.tuning.deployment import deployment
from include.scones.tuning.errors import TuningError
from include.scones.tuning.measured import Measured, measured
from include.scones.tuning.traffic import traffic

NEAREST = 8


def evidence(settings: Settings) -> dict[str, Any]:
    """Lists run in parallel with `thresholds`.

    Raises:
        TuningError: no endpoint is in service, or it does not answer as it should.
        NoTestImagesError: there is no data set.
    """
    found = judged(measured(settings, serving(settings)))
    return {"thresholds": THRESHOLDS.tolist(), "test": found, "traffic": traffic(settings)}


def serving(settings: Settings) -> str:
    """The name of the configuration in service."""
    now = deployment(settings)
    if now.endpoint_config is None:
        raise TuningError(f"there is no endpoint {now.endpoint}: run train_and_deploy first")
    if now.endpoint_status != "InService":
        raise TuningError(
            f"the endpoint {now.endpoint} is {now.endpoint_status}, not InService: wait, or deploy it again"
        )
    return now.endpoint_config


def judged(answers: Measured) -> dict[str, Any]:
    """The figures of the test images; `images` describes those that are nearest to some threshold, by their place."""
    probabilities = np.asarray(answers.probabilities, float)
    confidences, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    right = predicted == np.asarray(answers.labels)
    close = nearest(confidences, NEAREST)
    reached, reached_right = accepted(confidences), accepted(confidences[right])
    return {
        "config": answers.config,
        "count": len(answers.names),
        "classes": answers.classes,
        "accepted": reached,
        "right": reached_right,
        "confusion": confusion(answers.labels, predicted.tolist(), confidences, len(answers.classes)),
        "nearest": close,
        "images": {
            place: {
                "name": answers.names[place],
                "label": answers.labels[place],
                "predicted": int(predicted[place]),
                "confidence": float(confidences[place]),
            }
            for place in sorted({place for places in close for place in places})
        },
        "presets": presets(reached, reached_right),
    }


def thumbnails(settings: Settings) -> dict[int, str]:
    """Data URIs of the images that `evidence` describes, by the same places; drawn once for each configuration.

    Raises:
        TuningError: as `evidence` does.
    """
    answers = measured(settings, serving(settings))
    return _thumbnails(settings.bucket, answers.config, tuple((n, answers.names[n]) for n in judged(answers)["images"]))


@lru_cache(maxsize=2)
def _thumbnails(bucket: str, config: str, places: tuple[tuple[int, str], ...]) -> dict[int, str]:
    store = S3Store(bucket)

    def drawn(name: str) -> str:
        return thumbnail(base64.b64encode(store.read(f"test/{name}")))

    with ThreadPoolExecutor(store.readers) as pool:
        return dict(zip([place for place, _ in places], pool.map(drawn, [name for _, name in places]), strict=True))
