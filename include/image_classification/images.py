"""Decodes one image to an array, refusing what is no image or would not fit in memory."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

Pixels = npt.NDArray[np.uint8]

FORMATS = ("PNG", "JPEG")
# A JPEG's passes over its pixels: about ten where it is progressive, and each takes as long as all of another image.
MOST_SCANS = 100
START_OF_SCAN = b"\xff\xda"
MODES = {1: "L", 3: "RGB"}

# What Pillow's PNG and JPEG readers raise on broken files.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, struct.error, zlib.error)


class NotAnImage(Exception):
    """The bytes are no readable PNG or JPEG image, or it has too many pixels."""


def decode(content: bytes, channels: int, max_pixels: int) -> Image.Image:
    """Decode a PNG or JPEG to grey or RGB, whatever it was; transparency is dropped.

    Raises:
        NotAnImage: with words for whoever sent it.
    """
    image = _open(content, max_pixels)
    if image.width * image.height > max_pixels:
        raise NotAnImage(f"it has {image.width} x {image.height} pixels: at most {max_pixels} are accepted")
    if image.format != "PNG" and content.count(START_OF_SCAN) > MOST_SCANS:
        raise NotAnImage(f"it has more than {MOST_SCANS} scans: store it as a JPEG of one")
    try:
        if image.mode.startswith("I;16"):  # Pillow would cut what is above 255
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")
        return image.convert(MODES[channels])
    except BROKEN as error:
        raise NotAnImage(f"it cannot be decoded: {error}") from error


def _open(content: bytes, max_pixels: int) -> Image.Image:
    """Read the header."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns from a limit of its own on
            return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise NotAnImage("it is not a PNG or JPEG image") from error
    except Image.DecompressionBombError as error:
        raise NotAnImage(f"it has too many pixels: at most {max_pixels} are accepted") from error
    except BROKEN as error:
        raise NotAnImage(f"it cannot be read: {error}") from error


def to_array(image: Image.Image) -> Pixels:
    """An image as [height, width, channels]."""
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]
