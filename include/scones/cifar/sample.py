"""Draws a sample archive in CIFAR-100's own format, for a run without the network and without the real images.

Simple bicycles and motorcycles on plain grounds, and for any other class a figure of its own, varied by a seed: enough
to run the whole workflow, and marked as `sample` wherever the results are shown.
"""

from __future__ import annotations

import io
import pickle
import random
import tarfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from include.scones.cifar.archive import FOLDER, ORIGIN, SAMPLE
from include.scones.settings import CLASS_NAMES

SCALE = 4
Colour = tuple[int, int, int]


def write_sample(path: Path, train: int = 500, test: int = 100, seed: int = 0) -> Path:
    """Write an archive with `train` and `test` images of each class; the same arguments give the same pixels."""
    rng = random.Random(seed)  # noqa: S311 - drawings, not secrets
    names = [b"class_%02d" % label for label in range(100)]
    for label, name in CLASS_NAMES.items():
        names[label] = name.encode()
    members: dict[str, bytes] = {
        f"{FOLDER}/meta": pickle.dumps({b"fine_label_names": names}, protocol=3),
        f"{FOLDER}/train": pickle.dumps(_split(rng, train), protocol=3),
        f"{FOLDER}/test": pickle.dumps(_split(rng, test), protocol=3),
        f"{FOLDER}/{ORIGIN}": SAMPLE,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with tarfile.open(unfinished, "w:gz") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return unfinished.rename(path)


def _split(rng: random.Random, count: int) -> dict[bytes, Any]:
    labels = list(CLASS_NAMES) * count
    rng.shuffle(labels)
    pixels = [np.asarray(_draw(rng, label)).transpose(2, 0, 1).reshape(-1) for label in labels]
    return {
        b"data": np.stack(pixels),
        b"fine_labels": labels,
        b"filenames": [f"{CLASS_NAMES[label]}_s_{row:06d}.png".encode() for row, label in enumerate(labels)],
    }


def _draw(rng: random.Random, label: int) -> Picture.Image:
    """A 32x32 picture, drawn four times as large and scaled down so that its lines are soft."""
    size = 32 * SCALE
    ground = _colour(rng, 120, 255)
    picture = Picture.new("RGB", (size, size), ground)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, rng.randint(size * 6 // 10, size * 9 // 10), size, size), fill=_colour(rng, 60, 200))
    DRAWERS.get(label, partial(_figure, label))(draw, rng)
    if rng.random() < 0.5:
        picture = picture.transpose(Picture.Transpose.FLIP_LEFT_RIGHT)
    picture = picture.rotate(rng.uniform(-8, 8), resample=Picture.Resampling.BILINEAR, fillcolor=ground)
    small = np.asarray(picture.resize((32, 32), Picture.Resampling.LANCZOS), dtype=np.int16)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 10, small.shape)
    return Picture.fromarray(np.clip(small + noise, 0, 255).astype(np.uint8))


def _wheels(draw: ImageDraw.ImageDraw, rng: random.Random, width: int) -> tuple[int, int, int, int, Colour]:
    """Two wheels; gives where they are, `left`, `right`, `hub` and `radius`, and their colour."""
    radius = rng.randint(22, 28)
    left, right = rng.randint(30, 40), rng.randint(86, 98)
    hub = rng.randint(80, 94)
    ink = _colour(rng, 0, 90)
    for x in (left, right):
        draw.ellipse((x - radius, hub - radius, x + radius, hub + radius), outline=ink, width=width)
    return left, right, hub, radius, ink


def _bicycle(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    left, right, hub, radius, _ = _wheels(draw, rng, 3)
    body = _colour(rng, 0, 220)
    saddle, crank, head = (left + 18, hub - radius - 14), (left + 28, hub), (right - 12, hub - radius - 12)
    for a, b in (((left, hub), saddle), (saddle, crank), (crank, (left, hub)), (saddle, head), (crank, head)):
        draw.line((a, b), fill=body, width=4)
    draw.line((head, (right, hub)), fill=body, width=4)
    draw.line(((head[0] - 10, head[1] - 8), (head[0] + 6, head[1] - 8)), fill=body, width=4)


def _motorcycle(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    left, right, hub, radius, ink = _wheels(draw, rng, 11)
    body = _colour(rng, 0, 220)
    top = hub - radius
    draw.polygon(
        [(left, hub - 8), (left + 8, top - 4), (right - 16, top - 16), (right - 8, hub - 6)],
        fill=body,
    )
    draw.rectangle((left + 20, hub - 14, right - 22, hub + 10), fill=ink)
    draw.ellipse((left + 4, hub - radius - 14, left + 36, hub - radius + 2), fill=ink)
    draw.line(((right - 18, hub - radius - 26), (right, hub)), fill=ink, width=8)


def _figure(label: int, draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    """A board of three by three fields; the bits of the label, each in a field of its own, say which are dark."""
    left, top, field = rng.randint(20, 34), rng.randint(20, 34), rng.randint(22, 26)
    ink = _colour(rng, 0, 90)
    draw.rectangle((left, top, left + 3 * field, top + 3 * field), outline=ink, width=4)
    for bit in range(9):
        if label >> bit & 1:
            x, y = left + bit % 3 * field, top + bit // 3 * field
            draw.rectangle((x, y, x + field, y + field), fill=ink)


DRAWERS = {8: _bicycle, 48: _motorcycle}


def _colour(rng: random.Random, low: int, high: int) -> Colour:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)
