"""Captured images: decoded within limits, measured, and drawn small. Nothing captured is passed on as it came."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from include.scones.capture.errors import ImageError

FORMATS = ("PNG", "JPEG")
MOST_PIXELS = 1 << 24
# A JPEG's passes over its pixels: about ten where it is progressive, and each takes as long as all of another image.
MOST_SCANS = 100
START_OF_SCAN = b"\xff\xda"
THUMBNAIL = 128

# Of red, green and blue in the luma of ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class ImageFacts:
    """What one distinct payload holds. `brightness` is the mean luma in [0, 1]; `pixels` identifies its RGB pixels."""

    width: int = 0
    height: int = 0
    format: str = ""
    brightness: float = 0.0
    pixels: str = ""
    error: str = ""


def decode(payload: bytes) -> Image.Image:
    """The RGB image in base64 `payload`.

    Raises:
        ImageError: it is no base64, no PNG or JPEG, broken, or larger than MOST_PIXELS.
    """
    try:
        return open_image(binascii.a2b_base64(payload, strict_mode=True))
    except binascii.Error as error:
        raise ImageError(f"not base64: {error}") from error


def open_image(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > MOST_PIXELS:
            raise ImageError(f"{image.width}x{image.height} pixels are more than the {MOST_PIXELS} decoded here")
        if image.format != "PNG" and data.count(START_OF_SCAN) > MOST_SCANS:
            raise ImageError(f"more than the {MOST_SCANS} scans decoded here")
        image.load()
        rgb = image if image.mode == "RGB" else image.convert("RGB")
    except _PILLOW_RAISES as error:
        raise ImageError(f"not a readable PNG or JPEG: {str(error)[:150]}") from error
    rgb.format = image.format
    return rgb


# What Pillow's PNG and JPEG readers let through on broken files.
_PILLOW_RAISES = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def examine(payload: bytes) -> ImageFacts:
    try:
        image = decode(payload)
    except ImageError as error:
        return ImageFacts(error=str(error))
    pixels = image.tobytes()
    channels = np.frombuffer(pixels, np.uint8).reshape(-1, 3).mean(axis=0)
    return ImageFacts(
        image.width, image.height, image.format or "", float(channels @ LUMA) / 255, _identity(image.size, pixels)
    )


def pixel_identity(image: Image.Image) -> str:
    """SHA-256 of size and RGB pixels: the same for every lossless encoding of one picture."""
    return _identity(image.size, image.tobytes())


def _identity(size: tuple[int, int], pixels: bytes) -> str:
    return hashlib.sha256(b"%dx%d:" % size + pixels).hexdigest()


def thumbnail(payload: bytes) -> str:
    """A PNG data URI, encoded anew from the pixels, at most THUMBNAIL pixels wide and high."""
    image = decode(payload)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
