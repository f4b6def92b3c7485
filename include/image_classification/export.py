"""Writes a trained classifier as ONNX, and checks that the file answers as the classifier does."""

from __future__ import annotations

import contextlib
import copy
import io
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .errors import ContainerError
from .networks import Classifier
from .progress import say

INPUT, OUTPUT = "data", "probabilities"
OPSET = 17
TOLERANCE = 1e-3


def write(classifier: Classifier, examples: torch.Tensor, path: Path) -> None:
    """Export with a free batch axis: `data`, bytes [N, height, width, channels], to `probabilities` [N, classes].

    Raises:
        ContainerError: the written model answers the examples differently.
    """
    if any(tensor.is_cuda for tensor in classifier.buffers()):
        classifier = copy.deepcopy(classifier).cpu()
    classifier.eval()
    say(f"Writing {path.name}")
    # The exporter that needs no further package is the older one, which says at length that it is.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        expected = classifier(examples).numpy()
        torch.onnx.export(
            classifier,
            (examples,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}},
        )
    say("Checking the written model")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (answers,) = session.run([OUTPUT], {INPUT: examples.numpy()})
    difference = float(np.abs(answers - expected).max())
    if not difference <= TOLERANCE:
        raise ContainerError(f"the exported model differs from the trained one by {difference:.6f} in a probability")
