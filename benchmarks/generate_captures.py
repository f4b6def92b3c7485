"""Write a day of data captures as SageMaker would: `python benchmarks/generate_captures.py FOLDER --records N`.

Images are real ones where the project's data lies beside it, else random ones; most are altered a little and carry a
comment, so that no two are the same file. A PNG of about 3 kB makes a record of about 4 kB.
"""

from __future__ import annotations

import argparse
import base64
import io
import struct
import uuid
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image

from include.scones.capture.places import CAPTURES
from include.scones.cifar.archive import Archive

ENDPOINT = "benchmark"
DAY = datetime(2026, 1, 15, tzinfo=UTC)
ARCHIVE = Path(__file__).parents[2] / "shared" / "data" / "cifar-100-bicycle-motorcycle.tar.gz"
REPEATED = 0.1
ALTERED = 20_000
FILES_A_DAY = 1440

Pixels = NDArray[np.uint8]


def pictures(random: np.random.Generator) -> list[Pixels]:
    if ARCHIVE.is_file():
        return [image.pixels for split in ("train", "test") for image in Archive(ARCHIVE).images(split, [8, 48])]
    return list(random.integers(0, 256, (1200, 32, 32, 3), dtype=np.uint8))


def payloads(random: np.random.Generator, count: int) -> Iterator[str]:
    """Base64 PNGs: a tenth are the pictures as they are, the others have bytes of their own."""
    known = pictures(random)
    plain = [_encoded(picture) for picture in known]
    altered = [_encoded(_altered(known[n % len(known)], random)) for n in range(min(count, ALTERED))]
    for number in range(count):
        if random.random() < REPEATED:
            yield base64.b64encode(plain[int(random.integers(len(plain)))]).decode()
        else:
            picture = altered[int(random.integers(len(altered)))]
            yield base64.b64encode(_with_comment(picture, b"record %d" % number)).decode()


def _altered(picture: Pixels, random: np.random.Generator) -> Pixels:
    noisy = picture.copy()
    noisy[:6] = random.integers(0, 256, (6, 32, 3), dtype=np.uint8)
    return noisy


def _encoded(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _with_comment(png: bytes, text: bytes) -> bytes:
    """The PNG with a text chunk before its last chunk, IEND, which is 12 bytes long."""
    chunk = b"tEXtComment\0" + text
    return png[:-12] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[-12:]


def lines(count: int, seed: int = 0) -> Iterator[tuple[datetime, bytes]]:
    random = np.random.default_rng(seed)
    step = timedelta(days=1) / count
    for number, payload in enumerate(payloads(random, count)):
        moment = DAY + number * step
        sure = 1 - 0.5 * random.beta(0.6, 6)
        answer = [sure, 1 - sure] if random.random() < 0.5 else [1 - sure, sure]
        line = {
            "captureData": {
                "endpointInput": {
                    "observedContentType": "image/png",
                    "mode": "INPUT",
                    "data": payload,
                    "encoding": "BASE64",
                },
                "endpointOutput": {
                    "observedContentType": "application/json",
                    "mode": "OUTPUT",
                    "data": orjson.dumps(answer).decode(),
                    "encoding": "JSON",
                },
            },
            "eventMetadata": {
                "eventId": str(uuid.UUID(bytes=random.bytes(16), version=4)),
                "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            },
            "eventVersion": "0",
        }
        yield moment, orjson.dumps(line) + b"\n"


def generate(folder: Path, records: int, files: int = FILES_A_DAY) -> None:
    """Spread `records` over one day in `files` files, each of consecutive records."""
    per_file = -(-records // files)
    written = None
    for number, (moment, line) in enumerate(lines(records)):
        if number % per_file == 0:
            if written:
                written.close()
            place = folder / CAPTURES / ENDPOINT / "AllTraffic" / f"{moment:%Y/%m/%d/%H}"
            place.mkdir(parents=True, exist_ok=True)
            written = (place / f"{moment:%M-%S}-000-{uuid.UUID(int=number)}.jsonl").open("wb")
        if written:
            written.write(line)
    if written:
        written.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=FILES_A_DAY)
    given = parser.parse_args()
    generate(given.folder, given.records, given.files)


if __name__ == "__main__":
    main()
