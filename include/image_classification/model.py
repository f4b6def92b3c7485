"""A trained model as the server holds it: bytes of an image in, probabilities out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from .errors import ModelLoadError
from .images import decode, to_array

MODEL = "model.onnx"
METADATA = "model.json"


class Model:
    """The ONNX model of a folder, and the input shape that its metadata names."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the model.

        Raises:
            ModelLoadError: a file is missing or broken.
        """
        self.height, self.width, self.channels = self._shape(folder / METADATA)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        path = folder / MODEL
        if not path.is_file():
            raise ModelLoadError(f"{path} is missing: the model artifact must hold {MODEL} and {METADATA}")
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            (self._input,) = (item.name for item in self._session.get_inputs())
            self.predict(Image.new("RGB", (self.width, self.height)))
        except Exception as error:
            raise ModelLoadError(f"{path} cannot be loaded: {error}") from error

    @staticmethod
    def _shape(path: Path) -> tuple[int, int, int]:
        try:
            height, width, channels = map(int, json.loads(path.read_text())["input"]["shape"])
        except FileNotFoundError as error:
            raise ModelLoadError(f"{path} is missing: the model artifact must hold {MODEL} and {METADATA}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ModelLoadError(f"{path} is no description of a model: {error!r}") from error
        return height, width, channels

    def read(self, content: bytes, max_pixels: int) -> Image.Image:
        """Decode an image; it raises `NotAnImage`."""
        return decode(content, self.channels, max_pixels)

    def predict(self, image: Image.Image) -> list[float]:
        """The probability of each class; an image of another size is resized first."""
        if image.size != (self.width, self.height):
            image = image.resize((self.width, self.height), Image.Resampling.BILINEAR)
        data = to_array(image)[np.newaxis]
        (answer,) = self._session.run(None, {self._input: data})
        probabilities: list[float] = answer[0].tolist()
        return probabilities
