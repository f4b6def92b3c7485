"""The test images of the data set, whose classes are known: a captured image is told by its bytes or by its pixels."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from include.scones.capture.errors import ImageError, UnreadableError
from include.scones.capture.reading.images import open_image, pixel_identity
from include.scones.capture.schema import input_digest
from include.scones.capture.stores.store import Store
from include.scones.manifests import parse_lst
from include.scones.s3_layout import split_folder, split_lst


@dataclass
class KnownImages:
    """Labels of known images by the digest of their base64 text and by their pixels. `unreadable` counts the others."""

    __test__ = False

    by_payload: dict[bytes, int] = field(default_factory=dict)
    by_pixels: dict[str, int] = field(default_factory=dict)
    ambiguous: set[bytes | str] = field(default_factory=set)
    unreadable: int = 0

    def add(self, data: bytes, label: int) -> None:
        digest = input_digest(base64.b64encode(data))
        pixels = pixel_identity(open_image(data))
        if self.by_payload.setdefault(digest, label) != label:
            self.ambiguous.add(digest)
        if self.by_pixels.setdefault(pixels, label) != label:
            self.ambiguous.add(pixels)

    def label(self, digest: bytes, pixels: str | None) -> int | None:
        """None for an unknown image, and for one that the test set has under two labels."""
        if digest in self.ambiguous or pixels in self.ambiguous:
            return None
        found = self.by_payload.get(digest)
        return found if found is not None or pixels is None else self.by_pixels.get(pixels)


def read_known_images(store: Store, prefix: str | None) -> KnownImages | None:
    """The test images that the `test.lst` of the data set at `prefix` names; None where there is none."""
    if prefix is None or not list(store.objects(split_lst(prefix, "test"))):
        return None
    images, folder = parse_lst(store.read(split_lst(prefix, "test"))), split_folder(prefix, "test")
    known = KnownImages()
    with ThreadPoolExecutor(store.readers) as pool:
        for data, image in zip(pool.map(lambda item: _read(store, folder + item.name), images), images, strict=True):
            try:
                known.add(data, image.label)
            except ImageError:
                known.unreadable += 1
    return known


def _read(store: Store, key: str) -> bytes:
    try:
        return store.read(key)
    except UnreadableError:
        return b""
