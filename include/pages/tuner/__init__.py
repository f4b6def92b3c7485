"""The threshold tuner."""

from __future__ import annotations

from include.pages.tuner.routes import make_app

__all__ = ["make_app"]
