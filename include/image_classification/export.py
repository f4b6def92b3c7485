"""Writes the trained classifier as ONNX, and its metadata as JSON beside it."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

import torch

from .networks import Classifier

MODEL = "model.onnx"
METADATA = "model.json"
OPSET = 17


def write(classifier: Classifier, shape: tuple[int, int, int], path: Path) -> None:
    """Export with a free batch axis: `data` bytes [N, height, width, channels] to `probabilities` [N, classes]."""
    channels, height, width = shape
    example = torch.zeros(2, height, width, channels, dtype=torch.uint8)
    classifier = classifier.cpu().eval()
    # The exporter that needs no further package is the older one, which says at length that it is.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            classifier,
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["data"],
            output_names=["probabilities"],
            dynamic_axes={"data": {0: "batch"}, "probabilities": {0: "batch"}},
        )
