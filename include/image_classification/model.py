"""A trained model as the server holds it: an image in, probabilities out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from .errors import ModelLoadError
from .images import MODES, decode, to_array

MODEL = "model.onnx"
METADATA = "model.json"


class Model:
    """The ONNX model of a folder, and the input shape that its metadata names."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the model and run it once.

        Raises:
            ModelLoadError: a file is missing or broken.
        """
        for name in (MODEL, METADATA):
            if not (folder / name).is_file():
                raise ModelLoadError(f"{folder / name} is missing: the model artifact must hold {MODEL} and {METADATA}")
        self.height, self.width, self.channels = _shape(folder / METADATA)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; they are raised too
        try:
            self._session = onnxruntime.InferenceSession(folder / MODEL, options, providers=["CPUExecutionProvider"])
            self._input = self._session.get_inputs()[0].name
            self.predict(Image.new(MODES[self.channels], (self.width, self.height)))
        except Exception as error:
            raise ModelLoadError(f"{folder / MODEL} cannot be loaded: {error}") from error

    def read(self, content: bytes, max_pixels: int) -> Image.Image:
        """Decode an image; it raises `NotAnImage`."""
        return decode(content, self.channels, max_pixels)

    def predict(self, image: Image.Image) -> list[float]:
        """The probability of each class; an image of another size is resized first."""
        if image.size != (self.width, self.height):
            image = image.resize((self.width, self.height), Image.Resampling.BILINEAR)
        (answer,) = self._session.run(None, {self._input: to_array(image)[np.newaxis]})
        probabilities: list[float] = answer[0].tolist()
        return probabilities


def _shape(path: Path) -> tuple[int, int, int]:
    """Height, width and channels."""
    try:
        height, width, channels = (int(value) for value in json.loads(path.read_text())["input"]["shape"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelLoadError(f"{path} does not describe a model: {error!r}") from error
    if channels not in MODES or height < 1 or width < 1:
        raise ModelLoadError(
            f"{path} names the input shape {height} x {width} x {channels}: it must have 1 or 3 channels"
        )
    return height, width, channels
