"""The folders that batch runs may read: the project's data sets, and those that the operator named.

The roles of the stack may read these and no others, so that no form can have a job read what it is not meant to, and
runs at the same time do not take each other's rights away.
"""

from __future__ import annotations

from include.scones.batch.errors import FolderError
from include.scones.batch.job import split
from include.scones.s3_layout import DATASETS, s3_uri
from include.scones.settings import Settings

SETTING = "SCONES_BATCH_INPUTS"


def allowed(settings: Settings) -> list[tuple[str, str]]:
    """Bucket and prefix of each. Raises `FolderError`."""
    return [(settings.bucket, DATASETS), *(split(uri) for uri in settings.batch_inputs.split())]


def check(settings: Settings, folder: str) -> None:
    """Raise `FolderError` for a folder that is not in one of them."""
    bucket, prefix = split(folder)
    prefix += "" if not prefix or prefix.endswith("/") else "/"
    known = allowed(settings)
    if not any(bucket == own and prefix.startswith(within) for own, within in known):
        folders = ", ".join(s3_uri(*place) for place in known)
        raise FolderError(
            f"{folder} is not in a folder that batch_inference may read, which are {folders}: have {SETTING} name it"
        )


def parameters(settings: Settings, partition: str) -> dict[str, str]:
    """The stack's parameters that name them."""
    places = allowed(settings)
    arns = {bucket: f"arn:{partition}:s3:::{bucket}" for bucket, _ in places}
    return {
        "InputBuckets": ",".join(arns.values()),
        "InputPrefixes": ",".join(dict.fromkeys(f"{prefix}*" for _, prefix in places)),
        "InputObjects": ",".join(dict.fromkeys(f"{arns[bucket]}/{prefix}*" for bucket, prefix in places)),
    }
