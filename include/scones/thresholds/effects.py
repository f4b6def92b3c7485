"""What each threshold would do to the test images and to the last days' traffic: all that the tuner's page shows."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from include.scones.capture.errors import UnreadableError
from include.scones.capture.reading.images import thumbnail
from include.scones.capture.stores.bucket import S3Store
from include.scones.models.predictions import Predictions
from include.scones.settings import Settings
from include.scones.thresholds.answers import read_answers_in_service
from include.scones.thresholds.curves import count_accepted, count_confusion, find_nearest, find_presets
from include.scones.thresholds.scale import list_thresholds
from include.scones.thresholds.traffic import count_traffic

NEAREST = 8


def describe_effects(settings: Settings) -> dict[str, Any]:
    """Lists run in parallel with `thresholds`. All comes from S3: the endpoint is asked nothing.

    Raises:
        NotInServiceError: no endpoint is in service, or its answers to the test images are not kept.
    """
    predictions = read_answers_in_service(settings)
    thresholds = list_thresholds(len(predictions.classes))
    return {
        "thresholds": thresholds,
        "test": evaluate(predictions),
        "traffic": count_traffic(settings, len(predictions.classes)),
    }


def evaluate(predictions: Predictions) -> dict[str, Any]:
    """The figures of the test images; `images` describes those that are nearest to some threshold, by their place."""
    thresholds = list_thresholds(len(predictions.classes))
    probabilities = np.asarray(predictions.probabilities, float)
    confidences, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    right = predicted == np.asarray(predictions.labels)
    nearest = find_nearest(confidences, NEAREST, thresholds)
    accepted = count_accepted(confidences, thresholds)
    accepted_right = count_accepted(confidences[right], thresholds)
    return {
        "config": predictions.config,
        "count": len(predictions.names),
        "classes": predictions.classes,
        "accepted": accepted,
        "right": accepted_right,
        "confusion": count_confusion(
            predictions.labels, predicted.tolist(), confidences, len(predictions.classes), thresholds
        ),
        "nearest": nearest,
        "images": {
            place: {
                "name": predictions.names[place],
                "label": predictions.labels[place],
                "predicted": int(predicted[place]),
                "confidence": float(confidences[place]),
            }
            for place in sorted({place for places in nearest for place in places})
        },
        "presets": find_presets(accepted, accepted_right, thresholds),
    }


def draw_thumbnails(settings: Settings) -> dict[int, str]:
    """Data URIs of the images that `describe_effects` describes, by the same places; drawn once a configuration.

    An image that is no longer there has none.

    Raises:
        NotInServiceError: as `describe_effects` does.
    """
    predictions = read_answers_in_service(settings)
    places = tuple((place, predictions.names[place]) for place in evaluate(predictions)["images"])
    return _drawn(settings.bucket, predictions.config, predictions.folder, places)


@lru_cache(maxsize=2)
def _drawn(bucket: str, config: str, folder: str, places: tuple[tuple[int, str], ...]) -> dict[int, str]:
    store = S3Store(bucket)

    def draw(name: str) -> str:
        try:
            return thumbnail(base64.b64encode(store.read(f"{folder}{name}")))
        except UnreadableError:
            return ""

    with ThreadPoolExecutor(store.readers) as pool:
        drawn = pool.map(draw, [name for _, name in places])
        return {place: uri for (place, _), uri in zip(places, drawn, strict=True) if uri}
