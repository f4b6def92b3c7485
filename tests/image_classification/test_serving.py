"""The serving command by SageMaker's contract: right answers, refusals that leave the worker alive, clean ends."""

from __future__ import annotations

import io
import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.waiting import eventually

from .conftest import Job, picture
from .test_images import bomb

pytestmark = pytest.mark.system


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(client: httpx.Client, process: subprocess.Popen[str]) -> bool:
    if process.poll() is not None:
        pytest.fail(f"the server did not start: {process.communicate()[0]}")
    try:
        return client.get("/ping").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def server(trained: tuple[Job, str]) -> Iterator[httpx.Client]:
    job, _ = trained
    port = free_port()
    limits = {"SERVING_MAX_BYTES": "100000", "SERVING_MAX_PIXELS": "1000000"}
    process = job.start("serve", SAGEMAKER_BIND_TO_PORT=str(port), SAGEMAKER_BIND_TO_HOST="127.0.0.1", **limits)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        eventually(lambda: is_ready(client, process))
        yield client
    assert process.poll() is None, "the server must outlive every test"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM)


def content(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def invoke(server: httpx.Client, body: bytes, content_type: str = "image/png", **headers: str) -> httpx.Response:
    return server.post("/invocations", content=body, headers={"content-type": content_type, **headers})


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("PNG", "application/x-image"), ("PNG", "Image/PNG; a=b")],
)
def test_answers_probabilities(server: httpx.Client, kind: str, content_type: str) -> None:
    answer = invoke(server, content(picture(0, 1), kind), content_type)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json()) == 2
    assert sum(answer.json()) == pytest.approx(1)


def test_answers_as_the_model_was_validated(server: httpx.Client, trained: tuple[Job, str]) -> None:
    job, _ = trained
    right = 0
    for index in range(8):
        answer = invoke(server, (job.channel("validation") / f"{index}.png").read_bytes()).json()
        right += answer.index(max(answer)) == index % 2
    assert right / 8 == job.description["metrics"]["validation:accuracy"]


def test_answers_json_lines(server: httpx.Client) -> None:
    body = content(picture(0, 1))
    answer = invoke(server, body, accept="application/jsonlines")
    assert answer.headers["content-type"] == "application/jsonlines"
    assert answer.text.endswith("\n")
    assert json.loads(answer.text) == {"prediction": invoke(server, body, accept="*/*").json()}


@pytest.mark.parametrize(
    "image", [picture(0, 1, (200, 100)), picture(0, 1).convert("RGBA"), picture(0, 1).convert("L")]
)
def test_takes_other_sizes_and_modes(server: httpx.Client, image: Image.Image) -> None:
    assert invoke(server, content(image)).status_code == 200


@pytest.mark.parametrize(
    ("body", "headers", "status", "message"),
    [
        (b"hello", {}, 400, "the body cannot be used as an image: it is not a PNG or JPEG image"),
        (b"", {}, 400, "the body is empty: send an image"),
        (content(picture(0, 1, (99, 99)))[:5000], {}, 400, "the body cannot be used as an image: it cannot be decoded"),
        (bomb(2000, 2000), {}, 400, "it has 2000 x 2000 pixels: at most 1000000 are accepted"),
        (bomb(60000, 60000), {}, 400, "it has too many pixels"),
        (bytes(100_001), {}, 413, "the body is larger than 100000 bytes: send a smaller image"),
        (
            b"[]",
            {"content_type": "application/json"},
            415,
            "the content type 'application/json' is not one of image/png",
        ),
        (b"", {"accept": "text/csv"}, 406, "the accepted type 'text/csv' is neither application/json nor"),
    ],
)
def test_refuses_and_lives_on(
    server: httpx.Client, body: bytes, headers: dict[str, str], status: int, message: str
) -> None:
    answer = invoke(server, body, **headers)
    assert answer.status_code == status
    assert message in answer.json()["error"]
    assert server.get("/ping").status_code == 200


def test_refuses_a_long_body_of_unknown_length(server: httpx.Client) -> None:
    parts: Any = (bytes(1000) for _ in range(200))
    answer = server.post("/invocations", content=parts, headers={"content-type": "image/png"})
    assert answer.status_code == 413
    assert server.get("/ping").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/invocations", 405), ("PUT", "/ping", 405)]
)
def test_refuses_other_requests(server: httpx.Client, method: str, path: str, status: int) -> None:
    answer = server.request(method, path)
    assert answer.status_code == status
    assert "error" in answer.json()


def test_answers_of_a_crowd_are_those_of_each_alone(server: httpx.Client) -> None:
    bodies = [content(picture(seed % 2, seed)) for seed in range(20)]
    alone = [invoke(server, body).json() for body in bodies]
    crowd = [bodies[n % 20] if n % 5 else b"no image" for n in range(200)]
    with ThreadPoolExecutor(8) as clients:
        answers = clients.map(lambda body: invoke(server, body), crowd)
        assert server.get("/ping").status_code == 200
    for n, answer in enumerate(answers):
        assert answer.status_code == (200 if n % 5 else 400)
        assert not n % 5 or answer.json() == alone[n % 20]


@pytest.fixture
def model(job: Job, trained: tuple[Job, str]) -> Path:
    """A copy of a good model, to be broken."""
    shutil.copytree(trained[0].base / "model", job.base / "model")
    return job.base / "model"


def remove(model: Path) -> None:
    shutil.rmtree(model)


def truncate(model: Path) -> None:
    (model / "model.onnx").write_bytes((model / "model.onnx").read_bytes()[:1000])


def undescribe(model: Path) -> None:
    (model / "model.json").write_text("{}")


def misdescribe(model: Path) -> None:
    (model / "model.json").write_text(json.dumps({"input": {"shape": [16, 32, 3]}}))


def exaggerate(model: Path) -> None:
    (model / "model.json").write_text(json.dumps({"input": {"shape": [100_000, 100_000, 3]}}))


def make_endless(model: Path) -> None:
    (model / "model.json").write_text('{"input": {"shape": [Infinity, 32, 3]}}')


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove, "model.onnx is missing"),
        (truncate, "model.onnx cannot be loaded"),
        (undescribe, "model.json does not describe a model"),
        (misdescribe, "model.onnx cannot be loaded"),
        (exaggerate, "names the input shape 100000 x 100000 x 3: it must have 1 or 3 channels, and sides of 1 to 4096"),
        (make_endless, "model.json does not describe a model: OverflowError"),
    ],
)
def test_does_not_start_without_a_good_model(job: Job, model: Path, spoil: Any, message: str) -> None:
    spoil(model)
    process = job.start("serve", SAGEMAKER_BIND_TO_PORT=str(free_port()), SAGEMAKER_BIND_TO_HOST="127.0.0.1")
    log, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert message in log
    assert "Traceback" not in log


def test_does_not_start_on_a_port_in_use(job: Job, model: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = job.start(
            "serve", SAGEMAKER_BIND_TO_PORT=str(taken.getsockname()[1]), SAGEMAKER_BIND_TO_HOST="127.0.0.1"
        )
        log, _ = process.communicate(timeout=60)
    assert process.returncode > 0
    assert "address already in use" in log
