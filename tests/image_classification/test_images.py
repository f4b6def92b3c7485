"""Images of every kind are decoded alike; what is no image, too large or broken is refused in plain words."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from include.image_classification.images import NotAnImage, decode, to_array

LIMIT = 1 << 20


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims to be of this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_decodes_every_mode_of_png(mode: str) -> None:
    image = Image.new("RGB", (5, 4), "white").convert(mode)
    pixels = to_array(decode(encoded(image), 3, LIMIT))
    assert pixels.shape == (4, 5, 3)
    assert pixels.min() >= 254
    assert to_array(decode(encoded(image), 1, LIMIT)).shape == (4, 5, 1)


def test_decodes_a_palette_with_transparency() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    content = encoded(image, transparency=0)
    assert to_array(decode(content, 3, LIMIT))[0, 0].tolist() == [200, 100, 50]


@pytest.mark.parametrize("channels", [1, 3])
def test_scales_sixteen_bits(channels: int) -> None:
    image = Image.fromarray(np.full((4, 4), 0x8000, np.uint16))
    assert set(to_array(decode(encoded(image), channels, LIMIT)).flatten().tolist()) == {128}


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_decodes_jpeg(mode: str) -> None:
    image = Image.new("RGB", (16, 8), (200, 100, 50)).convert(mode)
    pixels = to_array(decode(encoded(image, "JPEG", quality=95), 3, LIMIT))
    expected = np.asarray(image.convert("RGB"), int)
    assert np.abs(pixels - expected).max() <= 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a PNG or JPEG image"),
        (b"hello", "not a PNG or JPEG image"),
        (encoded(Image.new("RGB", (4, 4)), "GIF"), "not a PNG or JPEG image"),
        (encoded(Image.effect_noise((64, 64), 50))[:-900], "cannot be decoded"),
        (encoded(Image.effect_noise((64, 64), 50), "JPEG")[:-500], "cannot be decoded"),
        (bomb(2000, 1000), "has 2000 x 1000 pixels: at most 1048576 are accepted"),
        (bomb(60000, 60000), "too many pixels: at most 1048576 are accepted"),
    ],
)
def test_refuses(content: bytes, message: str) -> None:
    with pytest.raises(NotAnImage, match=message):
        decode(content, 3, LIMIT)


def test_refuses_a_jpeg_of_thousands_of_passes() -> None:
    """Each takes as long as decoding the image once, so that these would take most of a minute."""
    content = encoded(Image.new("RGB", (1024, 1024)), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    assert decode(content[:-2] + 50 * last + content[-2:], 3, LIMIT).size == (1024, 1024)
    with pytest.raises(NotAnImage, match="more than 100 scans: store it as a JPEG of one"):
        decode(content[:-2] + 50_000 * last + content[-2:], 3, LIMIT)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_survives_damage(kind: str) -> None:
    """Whatever bytes are wrong, the answer is an image or a refusal."""
    chance = random.Random(0)  # noqa: S311 - nothing secret
    content = encoded(Image.effect_noise((24, 24), 50), kind)
    refused = 0
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 2, 8])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            assert decode(bytes(damaged[: chance.randrange(1, 2 * len(damaged))]), 3, LIMIT).mode == "RGB"
        except NotAnImage:
            refused += 1
    assert 0 < refused < 400
