"""A bounded sample that comes out the same however the work is shared and ordered: a bottom-k sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class BottomK:
    """The `size` smallest keys ever offered, with what was made for each: the same whatever the order of the offers."""

    size: int
    items: dict[Any, Any] = field(default_factory=dict)
    bound: Any = None

    def wants(self, key: Any) -> bool:
        return (self.bound is None or key < self.bound) and key not in self.items

    def add(self, key: Any, value: Any) -> None:
        self.items[key] = value
        if len(self.items) >= self.size + self.size // 8 + 1:
            self.trim()

    def trim(self) -> None:
        if len(self.items) > self.size:
            kept = sorted(self.items)[: self.size]
            self.items = {key: self.items[key] for key in kept}
            self.bound = kept[-1]

    def merge(self, other: BottomK) -> BottomK:
        self.items.update(other.items)
        self.bound = min((bound for bound in (self.bound, other.bound) if bound is not None), default=None)
        self.trim()
        return self
