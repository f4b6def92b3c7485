"""A resource of the project and why it is the project's: it bears the name, and the tag wherever its kind has tags."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config

from include.scones.aws import buckets, clients
from include.scones.settings import Settings

TAG = "Project"
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 8})

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resource:
    """`name` identifies it among those of its `kind`; `why` is what makes it the project's."""

    kind: str
    name: str
    why: str

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "name": self.name, "why": self.why}


def client(settings: Settings, service: str) -> Any:
    if service == "s3":
        return buckets.client(settings.account, settings.region, _CONFIG)
    return clients.connect(service, settings.region, _CONFIG)


def owned(settings: Settings, kind: str, name: str, tags: Iterable[Mapping[str, str]]) -> list[Resource]:
    """The resource when its tags say that it is this project's; none, and a line in the log, when they do not."""
    found = {tag["Key"]: tag["Value"] for tag in tags}.get(TAG)
    if found == settings.project:
        return [Resource(kind, name, f"its name and its tag {TAG}={found}")]
    log.warning("left alone: %s %s has a name of the project's, but %s is %r", kind, name, TAG, found)
    return []
