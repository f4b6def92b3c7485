"""What a scan counts and keeps beside the records: a new counter is one line here, and one where it is counted.

Each field says how it is merged with that of another scan, and how it is stored where it is no JSON value as it is, so
that several processes can share a day. Nothing else lists the fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from operator import add
from typing import Any

from include.scones.capture.reading.bottom_k import BottomK
from include.scones.capture.reading.images import ImageFacts

LISTED_PROBLEMS = 200
EXAMINED = 1000
LEAST_CONFIDENT = 48


def merged_by(
    merge: Callable[[Any, Any], Any],
    store: Callable[[Any], Any] = lambda value: value,
    restore: Callable[[Any], Any] = lambda value: value,
) -> dict[str, Callable[..., Any]]:
    """A field's metadata; `store` makes a JSON value of what the field holds, and `restore` the same again."""
    return {"merge": merge, "store": store, "restore": restore}


def sampled(
    size: int, store: Callable[[Any, Any], list[Any]], restore: Callable[..., tuple[Any, Any]]
) -> dict[str, Callable[..., Any]]:
    """The metadata of a BottomK, of which `store` and `restore` turn a key and its value into a JSON list and back."""

    def store_all(sample: BottomK) -> dict[str, Any]:
        bound = None if sample.bound is None else store(sample.bound, None)
        return {"items": [store(*item) for item in sample.items.items()], "bound": bound}

    def restore_all(data: dict[str, Any]) -> BottomK:
        bound = None if data["bound"] is None else restore(*data["bound"])[0]
        return BottomK(size, dict(restore(*item) for item in data["items"]), bound)

    return merged_by(BottomK.merge, store_all, restore_all)


def store_facts(digest: bytes, facts: ImageFacts | None) -> list[Any]:
    return [digest.hex(), facts and asdict(facts)]


def restore_facts(digest: str, facts: dict[str, Any] | None) -> tuple[bytes, ImageFacts | None]:
    return bytes.fromhex(digest), ImageFacts(**facts) if facts else None


def store_thumbnail(key: tuple[float, bytes], thumbnail: dict[str, str] | None) -> list[Any]:
    confidence, digest = key
    return [confidence, digest.hex(), thumbnail]


def restore_thumbnail(
    confidence: float, digest: str, thumbnail: dict[str, str] | None
) -> tuple[tuple[float, bytes], dict[str, str] | None]:
    return (confidence, bytes.fromhex(digest)), thumbnail


SUM = merged_by(add)
TALLY = merged_by(add, restore=Counter)
FIRST_PROBLEMS = merged_by(lambda one, other: (one + other)[:LISTED_PROBLEMS])
IMAGE_SAMPLE = sampled(EXAMINED, store_facts, restore_facts)
THUMBNAIL_SAMPLE = sampled(LEAST_CONFIDENT, store_thumbnail, restore_thumbnail)


@dataclass
class ScanTotals:
    """`measurements` are the records of the window that are left out because the project itself asked for them.

    `listed` has the first problems, each with its place; `images` has ImageFacts by the payload's digest, and
    `least_confident` a thumbnail, or an error, by confidence and digest.
    """

    files: int = field(default=0, metadata=SUM)
    bytes: int = field(default=0, metadata=SUM)
    measurements: int = field(default=0, metadata=SUM)
    problems: Counter[str] = field(default_factory=Counter, metadata=TALLY)
    listed: list[dict[str, Any]] = field(default_factory=list, metadata=FIRST_PROBLEMS)
    images: BottomK = field(default_factory=lambda: BottomK(EXAMINED), metadata=IMAGE_SAMPLE)
    least_confident: BottomK = field(default_factory=lambda: BottomK(LEAST_CONFIDENT), metadata=THUMBNAIL_SAMPLE)

    def merge(self, other: ScanTotals) -> None:
        """Add those of a scan whose files follow."""
        for one in fields(self):
            setattr(self, one.name, one.metadata["merge"](getattr(self, one.name), getattr(other, one.name)))

    def to_json(self) -> dict[str, Any]:
        return {one.name: one.metadata["store"](getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ScanTotals:
        return cls(**{one.name: one.metadata["restore"](data[one.name]) for one in fields(cls)})
