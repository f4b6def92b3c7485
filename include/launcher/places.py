"""Which target a home serves, and where on AWS it has had things made: accounts and names."""

from __future__ import annotations

import json
from pathlib import Path

from include.launcher.config import Target
from include.scones.settings import Settings

_NAMES = ("project", "region", "account", "bucket")


def target_of(home: Path) -> Target:
    """The target that the home belongs to; local where nothing says another."""
    marker = home / "target"
    return "aws" if marker.exists() and marker.read_text().strip() == "aws" else "local"


def remember(home: Path, here: Settings) -> None:
    """Note down where things are about to be made."""
    place = {name: getattr(here, name) for name in _NAMES}
    known = _read(home)
    if place not in known:
        _file(home).write_text(json.dumps([*known, place], indent=1))


def remembered(home: Path) -> list[Settings]:
    """Where things were made."""
    return [Settings(place["project"], place["region"], place["account"], place["bucket"]) for place in _read(home)]


def _file(home: Path) -> Path:
    return home / "places.json"


def _read(home: Path) -> list[dict[str, str]]:
    known: list[dict[str, str]] = json.loads(_file(home).read_text()) if _file(home).exists() else []
    return known
