"""Which program runs for a container image, and the environment it runs in."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ..authentication.keys import AccessKey
from ..errors import UnknownImage
from ..private import inherited

PROJECT_ROOT = Path(__file__).parents[3]
BUILT_IN = {
    "image-classification": [sys.executable, "-m", "include.image_classification"],
    # It uses the project's library, and so the environment of the clients, which lies beside this one.
    "scones-batch": [str(PROJECT_ROOT / ".venv" / "bin" / "python"), "-m", "include.scones.batch"],
}
_REGISTRY_PATH = re.compile(
    r"(?P<registry>\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?)/(?P<repository>[^:@]+)([:@](?P<tag>.+))?"
)


def repository(images: Mapping[str, list[str]], image: str) -> str:
    """The name in an image's registry path, which may have a project's name before one that is known.

    Raises `UnknownImage`.
    """
    match = _REGISTRY_PATH.fullmatch(image)
    if match is None or _known(images, match["repository"]) is None:
        known = ", ".join(f"<account>.dkr.ecr.<region>.amazonaws.com/{name}:1" for name in sorted(images))
        raise UnknownImage(f"the image {image!r} cannot be run by the local cloud: use {known}")
    return match["repository"]


def program(images: Mapping[str, list[str]], image: str) -> list[str]:
    """The arguments that run an image. Raises `UnknownImage`."""
    return _known(images, repository(images, image)) or []


def _known(images: Mapping[str, list[str]], name: str) -> list[str] | None:
    return images.get(name) or images.get(name.rpartition("/")[2])


def environment(base: Path, extra: Mapping[str, str], region: str, url: str, role: AccessKey | None) -> dict[str, str]:
    """The environment of a container whose `/opt/ml` is `base`; `extra` is what the user asked for.

    `role` is the session that the container works with; without one it has no credentials, as on AWS.
    """
    return {
        **inherited(),
        "PYTHONUNBUFFERED": "1",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": url,
        **(role.environment() if role else {}),
        **extra,
        "PYTHONPATH": str(PROJECT_ROOT),
        "SAGEMAKER_BASE_DIR": str(base),
    }
