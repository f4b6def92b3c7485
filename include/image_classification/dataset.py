"""Loads a channel's images into memory, each at the size that training needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .errors import ClientError
from .hyperparameters import Hyperparameters
from .images import NotAnImage, decode, to_array
from .listing import Entry, Listing

MAX_PIXELS = 178_956_970


@dataclass(frozen=True)
class Dataset:
    """Images as bytes [N, height, width, channels], and their labels [N]."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def load(listing: Listing, values: Hyperparameters) -> Dataset:
    """Decode every image of a list.

    Raises:
        ClientError: a file is no image, or is smaller than `image_shape`.
    """
    with ThreadPoolExecutor() as pool:
        arrays = list(pool.map(lambda entry: _load(entry, values), listing.entries))
    labels = [entry.label for entry in listing.entries]
    return Dataset(torch.from_numpy(np.stack(arrays)), torch.tensor(labels))


def _load(entry: Entry, values: Hyperparameters) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    channels, height, width = values.image_shape
    try:
        image = decode(entry.path.read_bytes(), channels, MAX_PIXELS)
    except NotAnImage as error:
        raise ClientError(f"the image {entry.path.name} cannot be used: {error}") from error
    if values.resize is not None:
        scale = values.resize / min(image.size)
        size = (max(width, round(image.width * scale)), max(height, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BILINEAR)
    if image.width < width or image.height < height:
        raise ClientError(
            f"the image {entry.path.name} has {image.width} x {image.height} pixels: image_shape asks for at least "
            f"{width} x {height}; set resize, or a smaller image_shape"
        )
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return to_array(image.crop((left, top, left + width, top + height)))
