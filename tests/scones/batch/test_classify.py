"""A model's container that is busy, fails or does not answer: asked again, and never taken for the image's fault."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from include.scones.batch import classify
from include.scones.batch.errors import EndpointError
from include.scones.batch.job import Job

pytestmark = pytest.mark.system
JOB = Job("run", "b", "batch/run", "b", "in/", "endpoint", ["bicycle", "motorcycle"], 0.9, "000000000000")


@pytest.fixture
def statuses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """What the container behind SageMaker's runtime answers with, in turn, 200 at the end; S3 has every image."""
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, b"image")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if (status := answers.pop(0) if answers else 200) == 200:
                return self.answer(200, b"[0.95, 0.05]")
            told = {"Message": "m", "OriginalStatusCode": status, "OriginalMessage": "o"}
            self.answer(424, json.dumps(told).encode(), "ModelError")

        def answer(self, status: int, body: bytes, error: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if error:
                self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Silent."""

    monkeypatch.setattr(classify, "PAUSES", (0.0, 0.0, 0.0))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "DEFAULT_REGION": "us-east-1"}
        for name, value in {**place, "ACCESS_KEY_ID": "any", "SECRET_ACCESS_KEY": "any"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield answers
        server.shutdown()


@pytest.mark.parametrize("status", [0, 408, 429, 500, 502, 503, 504])
def test_what_passes_is_asked_again(statuses: list[int], status: int) -> None:
    statuses += [status] * 3
    row = classify.Classifier(JOB, 1)("in/a.png")
    assert (row["class"], row["outcome"], statuses) == ("bicycle", "accepted", [])


@pytest.mark.parametrize("status", [0, 429, 500])
def test_what_does_not_pass_in_time_fails_the_attempt_and_not_the_image(statuses: list[int], status: int) -> None:
    statuses += [status] * 9
    with pytest.raises(EndpointError, match=r"^endpoint did not answer for in/a.png: .*ModelError"):
        classify.Classifier(JOB, 1)("in/a.png")
    assert len(statuses) == 5


@pytest.mark.parametrize("status", [400, 413, 415])
def test_what_the_model_makes_of_an_image_is_its_result(statuses: list[int], status: int) -> None:
    statuses.append(status)
    row = classify.Classifier(JOB, 1)("in/a.png")
    assert (row["outcome"], row["error"], statuses) == ("error", "ModelError: o", [])
