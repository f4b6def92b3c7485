"""`.lst` manifests, read and written: a line an image, its index, its label and its path, with tabs between them.

Format: https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html, "Train with image format".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.scones.aws.missing import is_missing
from include.scones.errors import NoTestImagesError
from include.scones.s3_layout import s3_uri, split_lst


@dataclass(frozen=True, order=True)
class ManifestImage:
    """One line: labels count from 0, `name` is the path below the folder of the split."""

    index: int
    label: int
    name: str


def format_lst(images: Iterable[ManifestImage]) -> bytes:
    return "".join(f"{image.index}\t{image.label}\t{image.name}\n" for image in images).encode()


def parse_lst(content: bytes) -> list[ManifestImage]:
    lines = [line.split("\t") for line in content.decode().splitlines()]
    return [ManifestImage(int(index), int(label), name) for index, label, name in lines]


def read_test_images(s3: BaseClient, bucket: str, prefix: str) -> list[ManifestImage]:
    """The images of the `test.lst` of the data set at `prefix`.

    Raises:
        NoTestImagesError: there is none.
    """
    key = split_lst(prefix, "test")
    try:
        return parse_lst(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if not is_missing(error):
            raise
        raise NoTestImagesError(f"there is no {s3_uri(bucket, key)}: run cifar_etl first") from error
