"""Decodes one image to an array, refusing what is no image or would not fit in memory."""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

Pixels = npt.NDArray[np.uint8]

FORMATS = ("PNG", "JPEG")
MODES = {1: "L", 3: "RGB"}


class NotAnImage(ValueError):
    """The bytes are no readable PNG or JPEG image, or it has too many pixels."""


def decode(content: bytes, channels: int, max_pixels: int) -> Image.Image:
    """Decode a PNG or JPEG to grey or RGB; transparency is dropped.

    Raises:
        NotAnImage: with words for whoever sent it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # max_pixels is the limit here
            image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
        if image.width * image.height > max_pixels:
            raise NotAnImage(f"it has {image.width} x {image.height} pixels: at most {max_pixels} are accepted")
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")
        return image.convert(MODES[channels])
    except UnidentifiedImageError as error:
        raise NotAnImage("it is not a PNG or JPEG image") from error
    except Image.DecompressionBombError as error:
        raise NotAnImage(f"it has too many pixels: at most {max_pixels} are accepted") from error
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, NotAnImage):
            raise
        raise NotAnImage(f"it cannot be decoded: {error}") from error


def to_array(image: Image.Image) -> Pixels:
    """An image as [height, width, channels]."""
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]
