"""`make audit`, with pip-audit itself, and a source of advisories that answers, knows something, or is not there."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.conftest import ROOT, free_port

PYTHON = ROOT / ".venv-audit" / "bin" / "python"
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not PYTHON.exists(), reason="the audit's environment is missing: make audit makes it"),
]


@contextmanager
def osv(vulnerable: dict[str, str]) -> Iterator[str]:
    """A service that answers as OSV does, with one advisory for each of these packages and its fixed version."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fixed = vulnerable.get(name := asked["package"]["name"])
            body = json.dumps({"vulns": [advisory(name, fixed)]} if fixed else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def advisory(name: str, fixed: str) -> dict[str, object]:
    package = {"name": name, "ecosystem": "PyPI"}
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    affected = [{"package": package, "ranges": ranges}]
    return {"id": "PYSEC-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "a hole", "affected": affected}


def audit(address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "requirements/audit.py"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PIP_AUDIT_VULNERABILITY_SERVICE": "osv", "PIP_AUDIT_OSV_URL": address},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_all_locked_packages_are_checked() -> None:
    with osv({}) as address:
        done = audit(address)
    assert (done.returncode, done.stderr) == (0, "")
    checked, _, total = done.stdout.split(" packages were checked, 0 of them")[0].partition(" of ")
    assert checked == total
    assert int(total) > 300


def test_a_vulnerable_package_is_named_with_its_locks_and_its_fix() -> None:
    with osv({"torch": "2.99.0"}) as address:
        done = audit(address)
    assert done.returncode == 1
    assert "VULNERABLE torch 2.13.0 (requirements/torch.txt" in done.stdout
    assert "PYSEC-2026-1, fixed in 2.99.0" in done.stdout
    assert "1 of them have known vulnerabilities" in done.stdout


def test_a_source_that_cannot_be_reached_is_not_a_clean_answer() -> None:
    done = audit(f"http://127.0.0.1:{free_port()}/v1/query")
    assert done.returncode == 3
    assert "packages could not be checked, which does not mean that they are clean: osv said: " in done.stdout
    assert "0 of " in done.stdout.splitlines()[-1]
