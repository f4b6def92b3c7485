"""A channel's images as the trainer reads them: decoded once, kept while memory lasts, cropped at each reading."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .errors import ClientError
from .hyperparameters import Hyperparameters
from .images import NotAnImage, Pixels, decode, to_array
from .listing import Listing

MAX_PIXELS = 178_956_970  # Pillow's own limit against decompression bombs
MEMORY = 2 * 1024**3  # bytes of decoded images kept; what is beyond is decoded again at each reading


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
        self._kept: list[Pixels] = []
        with ThreadPoolExecutor() as pool:
            for pixels in pool.map(self._load, self._paths):
                memory -= pixels.nbytes
                if memory >= 0:
                    self._kept.append(pixels)

    def __len__(self) -> int:
        return len(self._paths)

    def images(self, indices: Tensor, random: bool = False) -> Tensor:
        """The images as bytes [N, height, width, channels]: a random part of the right size, or the central one."""
        return torch.from_numpy(np.stack([self._crop(self._pixels(index), random) for index in indices.tolist()]))

    def _pixels(self, index: int) -> Pixels:
        return self._kept[index] if index < len(self._kept) else self._load(self._paths[index])

    def _crop(self, pixels: Pixels, random: bool) -> Pixels:
        _, height, width = self._values.image_shape
        down, right = pixels.shape[0] - height, pixels.shape[1] - width
        top, left = down // 2, right // 2
        if random and (down or right):
            top, left = int(torch.randint(down + 1, ())), int(torch.randint(right + 1, ()))
        return pixels[top : top + height, left : left + width]

    def _load(self, path: Path) -> Pixels:
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
        return to_array(image)
