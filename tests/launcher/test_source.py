"""Where the launcher looks for the published archive, and where it does not follow it to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from include.launcher import config, source
from include.launcher.errors import LaunchError
from include.scones import settings


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The published archive's site, which leads to an address without TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(301)
            self.send_header("Location", "http://127.0.0.1:9/archive.tar.gz")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.delenv("SCONES_ARCHIVE", raising=False)
    monkeypatch.setattr(source, "CIFAR_100_URL", f"http://127.0.0.1:{server.server_port}/archive.tar.gz")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.system
@pytest.mark.usefixtures("moved")
def test_the_published_archive_is_not_looked_for_without_tls(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"leads to 'http://127\.0\.0\.1:9/.*': only https:// addresses are followed"):
        source.choose(config.Config("aws", tmp_path, 1, 2))


def test_what_was_chosen_is_the_forms_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCONES_ARCHIVE", "SCONES_ARCHIVE_SHA256"):
        monkeypatch.delenv(name, raising=False)
    assert settings.default_archive() == (settings.CIFAR_100_URL, None)
    for name, value in source.Choice({"archive": "/kept.tar.gz", "sha256": "0" * 64}).settings.items():
        monkeypatch.setenv(name, value)
    assert settings.default_archive() == ("/kept.tar.gz", "0" * 64)
