"""The one place where clients of AWS are made, of the program's one session."""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from include.scones import session


def connect(service: str, region: str | None = None, config: Config | None = None) -> Any:
    """A client of `service`; `config` goes before the session's, name by name."""
    return session.current().client(service, region, config)
