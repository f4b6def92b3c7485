"""A channel's images as the trainer reads them: decoded once, kept while memory lasts, fitted at each reading."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .errors import ClientError
from .hyperparameters import Hyperparameters
from .images import NotAnImage, decode, to_array
from .listing import Listing
from .progress import SILENCE, Pace, say

MAX_PIXELS = 178_956_970  # Pillow's own limit against decompression bombs
MEMORY = 512 * 1024**2  # bytes of decoded images kept; what is beyond is decoded again at each reading

BYTES = {"L": 1, "RGB": 4}  # of a pixel, as Pillow holds it
STATISTICS_PART = 64  # images that are floating-point numbers at the same time


class Dataset:
    """The images of one list, and their labels [N]."""

    def __init__(self, listing: Listing, values: Hyperparameters, memory: int = MEMORY) -> None:
        """Decode every image once.

        Raises:
            ClientError: a file is no image, or is smaller than `image_shape`.
        """
        self._values = values
        self._paths = [entry.path for entry in listing.entries]
        self.labels = torch.tensor([entry.label for entry in listing.entries])
        self._kept: list[Image.Image] = []
        pace = Pace(SILENCE)
        with ThreadPoolExecutor() as pool:
            for number, image in enumerate(pool.map(self._load, self._paths), 1):
                if pace.due(SILENCE):
                    say(f"Decoded {number} of {len(self._paths)} images")
                memory -= image.width * image.height * BYTES[image.mode]
                if memory >= 0:
                    self._kept.append(image)

    def __len__(self) -> int:
        return len(self._paths)

    def images(self, indices: Tensor, random: bool = False) -> Tensor:
        """The images as bytes [N, height, width, channels]: a random part of each, or the whole as it is served."""
        images = (self._image(index) for index in indices.tolist())
        return torch.from_numpy(np.stack([to_array(self._fit(image, random)) for image in images]))

    def statistics(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel of the images."""
        count, total, squares = 0, torch.tensor(0.0), torch.tensor(0.0)
        for part in indices.split(STATISTICS_PART):  # type: ignore[no-untyped-call]
            pixels = self.images(part).flatten(0, 2).double()
            count, total, squares = count + len(pixels), total + pixels.sum(0), squares + pixels.square().sum(0)
        mean = total / count
        return mean.float(), (squares / count - mean.square()).clamp_min(0).sqrt().float()

    def _image(self, index: int) -> Image.Image:
        return self._kept[index] if index < len(self._kept) else self._load(self._paths[index])

    def _fit(self, image: Image.Image, random: bool) -> Image.Image:
        """Resize the whole, or a part of any place and size, from one that has the right size already."""
        _, height, width = self._values.image_shape
        size, across, down = torch.rand(3).tolist() if random else (1.0, 0.0, 0.0)
        part_width, part_height = width + (image.width - width) * size, height + (image.height - height) * size
        left, top = (image.width - part_width) * across, (image.height - part_height) * down
        box = left, top, left + part_width, top + part_height
        return image.resize((width, height), Image.Resampling.BILINEAR, box)

    def _load(self, path: Path) -> Image.Image:
        channels, height, width = self._values.image_shape
        try:
            image = decode(path.read_bytes(), channels, MAX_PIXELS)
        except NotAnImage as error:
            raise ClientError(f"the image {path.name} cannot be used: {error}") from error
        if self._values.resize is not None:
            scale = self._values.resize / min(image.size)
            size = max(width, round(image.width * scale)), max(height, round(image.height * scale))
            image = image.resize(size, Image.Resampling.BILINEAR)
        if image.width < width or image.height < height:
            raise ClientError(
                f"the image {path.name} has {image.width} x {image.height} pixels: image_shape asks for at least "
                f"{width} x {height}; set resize, or a smaller image_shape"
            )
        return image
