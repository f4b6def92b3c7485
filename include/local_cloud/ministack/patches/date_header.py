"""One `Date` in each answer: the server that MiniStack runs in writes it already."""

from __future__ import annotations

from ..patching import patch


def install() -> None:
    from ministack import app

    patch(app, "_with_date_header", lambda with_date: lambda send: send, ("send",))
