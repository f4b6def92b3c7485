"""The pictures of demo traffic: test images as other cameras would have taken them, and a few that show no class."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Light:
    """From how dark to how bright, as factors, and the noise that a camera makes in it, in grey levels."""

    darkest: float
    brightest: float
    noise: float


DAYLIGHT = Light(0.9, 1.1, noise=1)
DUSK = Light(0.3, 0.5, noise=20)
HOUSE = 48  # pixels a side: a picture of another size is part of what a foreign image is


def pixels_of(image: bytes) -> Pixels:
    with Image.open(io.BytesIO(image)) as picture:
        return np.asarray(picture.convert("RGB"))


def retaken(pixels: Pixels, random: np.random.Generator, light: Light) -> bytes:
    """The picture, perhaps mirrored, in other light and with a camera's noise; as PNG."""
    turned = pixels[:, ::-1] if random.random() < 0.5 else pixels
    lit = turned * random.uniform(light.darkest, light.brightest) + random.normal(0, light.noise, turned.shape)
    return _encoded(Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8)), "PNG")


def foreign(random: np.random.Generator) -> bytes:
    """A house under a sky, as JPEG."""
    sky, wall, roof = (tuple(map(int, random.integers(40, 230, 3))) for _ in range(3))
    picture = Image.new("RGB", (HOUSE, HOUSE), sky)
    draw = ImageDraw.Draw(picture)
    left, right = int(random.integers(4, 14)), int(random.integers(34, 44))
    eaves = int(random.integers(16, 24))
    draw.rectangle((left, eaves, right, HOUSE - 4), fill=wall)
    draw.polygon([(left - 3, eaves), ((left + right) // 2, 5), (right + 3, eaves)], fill=roof)
    draw.rectangle((left + 4, eaves + 6, left + 10, eaves + 12), fill=sky)
    return _encoded(picture, "JPEG")


def _encoded(picture: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()
