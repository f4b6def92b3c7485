"""A trained model as the server holds it: an image in, probabilities out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from .errors import ModelLoadError
from .images import MODES, decode, to_array

MODEL = "model.onnx"
METADATA = "model.json"
MOST_SIDE = 4096  # pixels


class Model:
    """The ONNX model of a folder, and the input shape that its metadata names."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the model and run it once.

        Args:
            threads: how many a prediction may use that is alone on the machine; among others each uses one.

        Raises:
            ModelLoadError: a file is missing or broken.
        """
        for name in (MODEL, METADATA):
            if not (folder / name).is_file():
                raise ModelLoadError(f"{folder / name} is missing: the model artifact must hold {MODEL} and {METADATA}")
        self.height, self.width, self.channels = _shape(folder / METADATA)
        try:
            self._session = _session(folder / MODEL, 1)
            self._alone = _session(folder / MODEL, threads) if threads > 1 else self._session
            self._input = self._session.get_inputs()[0].name
            for alone in (False, True):
                self.predict([Image.new(MODES[self.channels], (self.width, self.height))], alone=alone)
        except Exception as error:
            raise ModelLoadError(f"{folder / MODEL} cannot be loaded: {error}") from error

    def read(self, content: bytes, max_pixels: int) -> Image.Image:
        """Decode an image and resize one of another size, so that little of it is held; it raises `NotAnImage`."""
        image = decode(content, self.channels, max_pixels)
        if image.size == (self.width, self.height):
            return image
        return image.resize((self.width, self.height), Image.Resampling.BILINEAR)

    def predict(self, images: Sequence[Image.Image], *, alone: bool = False) -> list[list[float]]:
        """The probability of each class for each image that `read` gave; `alone` takes all threads that are allowed."""
        session = self._alone if alone else self._session
        (answer,) = session.run(None, {self._input: np.stack([to_array(image) for image in images])})
        probabilities: list[list[float]] = answer.tolist()
        return probabilities


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; they are raised too
    # Threads that spin between two runs would take the cores from whoever sends the next request.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _shape(path: Path) -> tuple[int, int, int]:
    """Height, width and channels."""
    try:
        height, width, channels = (int(value) for value in json.loads(path.read_text())["input"]["shape"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ModelLoadError(f"{path} does not describe a model: {error!r:.200}") from error
    if channels not in MODES or not 1 <= height <= MOST_SIDE or not 1 <= width <= MOST_SIDE:
        raise ModelLoadError(
            f"{path} names the input shape {height} x {width} x {channels}: it must have 1 or 3 channels, and sides of "
            f"1 to {MOST_SIDE} pixels"
        )
    return height, width, channels
