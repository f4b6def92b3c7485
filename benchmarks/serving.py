"""Serving through the local cloud against its floor: the same decode and ONNX Runtime run, in process, on one thread.

Run it as `.venv-cloud/bin/python -m benchmarks.serving [--model model.tar.gz]`. Floor and endpoint are measured in turn
within one run, with data capture at 100 %. Throughput is given as it was seen with the clients on the same cores, and
with the clients' CPU time taken out; CPU times stay right when something else uses the machine, wall times do not.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import numpy as np
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from PIL import Image

from include.local_cloud.account import ACCOUNT
from include.local_cloud.authentication.keys import KeyRing
from include.local_cloud.authentication.pages import Doors
from include.local_cloud.authentication.verification import request_of, verify
from include.local_cloud.sagemaker.unpacking import unpack

Call = Callable[[], object]
REGION = "us-east-1"
ENDPOINT = "benchmark"
BUCKET = "benchmark"
IMAGE_URI = f"811284229777.dkr.ecr.{REGION}.amazonaws.com/image-classification:1"
ROLE = "arn:aws:iam::000000000000:role/tests"
WARM_UP = 100
TURN = 20
CORES = os.cpu_count() or 1
CLIENTS = 8


def png(seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def make_model(base: Path) -> Path:
    """The project's default network, trained by its container for one epoch on noise: it costs what a good one does."""
    parameters = {"num_layers": "20", "image_shape": "3,28,28", "num_classes": "2", "num_training_samples": "64"}
    channels: dict[str, dict[str, str]] = {name: {} for name in ("train", "validation", "train_lst", "validation_lst")}
    configuration = base / "input" / "config"
    configuration.mkdir(parents=True)
    for channel in ("train", "validation"):
        images = base / "input" / "data" / channel
        listing = base / "input" / "data" / f"{channel}_lst"
        images.mkdir(parents=True)
        listing.mkdir()
        for index in range(64):
            (images / f"{index}.png").write_bytes(png(index))
        lines = [f"{index}\t{index % 2}\t{index}.png\n" for index in range(64)]
        (listing / f"{channel}.lst").write_text("".join(lines))
    files = {"hyperparameters": {**parameters, "epochs": "1"}, "inputdataconfig": channels, "resourceconfig": {}}
    for name, content in files.items():
        (configuration / f"{name}.json").write_text(json.dumps(content))
    command = [sys.executable, "-m", "include.image_classification", "train"]
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"the container could not train a model:\n{done.stdout}{done.stderr}")
    return base / "model"


def in_process(folder: Path) -> Call:
    from include.image_classification.model import Model

    model, content = Model(folder, threads=1), png()
    return lambda: model.predict([model.read(content, 1 << 20)])


def through_boto3(url: str) -> Call:
    runtime, content = _client("sagemaker-runtime", url), png()
    return lambda: runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="image/png", Body=content)["Body"].read()


def timed(call: Call, count: int) -> list[float]:
    """How long each call took, in seconds."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times


def in_turn(folder: Path, url: str, seconds: float) -> tuple[list[float], list[float]]:
    """The times of floor and endpoint, a few of each in turn, so that whatever else runs disturbs both alike."""
    calls = in_process(folder), through_boto3(url)
    times: tuple[list[float], list[float]] = ([], [])
    for call in calls:
        timed(call, WARM_UP)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for call, gathered in zip(calls, times, strict=True):
            gathered += timed(call, TURN)
    return times


def many(place: Path | str, seconds: float) -> tuple[list[float], float]:
    """The times of calls for so long, in process over a model's folder or through a URL, and their CPU seconds."""
    call = through_boto3(place) if isinstance(place, str) else in_process(place)
    timed(call, WARM_UP)
    times: list[float] = []
    cpu, end = time.process_time(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        times += timed(call, 1)
    return times, time.process_time() - cpu


def _client(service: str, url: str) -> Any:
    return boto3.session.Session(region_name=REGION).client(service, endpoint_url=url)


@contextmanager
def cloud(data: Path) -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (data / "cloud.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "include.local_cloud", "--port", str(port), "--data", str(data)],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        _until_healthy(url, process)
        os.environ.update(KeyRing.open(data, ACCOUNT).root.environment())
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("the local cloud ended: see its log")
        try:
            with urllib.request.urlopen(f"{url}/_local_cloud/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("the local cloud did not become healthy within a minute")


def deploy(url: str, archive: Path) -> None:
    s3, sagemaker = _client("s3", url), _client("sagemaker", url)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive.read_bytes())
    sagemaker.create_model(
        ModelName=ENDPOINT,
        PrimaryContainer={"Image": IMAGE_URI, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"},
        ExecutionRoleArn=ROLE,
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=ENDPOINT,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": ENDPOINT,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
        DataCaptureConfig={
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/data_capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        },
    )
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=ENDPOINT)
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=ENDPOINT, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def tree_cpu(pid: int) -> float:
    """CPU seconds so far of a process and its children."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if pid in (int(stat.parent.name), int(fields[1])):
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def show(name: str, times: list[float]) -> None:
    tenth, half, most = (np.quantile(times, share) * 1e3 for share in (0.1, 0.5, 0.99))
    print(f"  {name:<26} p10 {tenth:6.2f}   p50 {half:6.2f}   p99 {most:6.2f} ms   n {len(times)}")


def latency(folder: Path, url: str, seconds: float) -> None:
    print(f"One client for {seconds:g} s, floor and endpoint {TURN} times each in turn:")
    with ProcessPoolExecutor(1) as pool:
        floors, ours = pool.submit(in_turn, folder, url, seconds).result()
    show("floor, in process", floors)
    show("endpoint, through boto3", ours)
    ratios = [float(np.quantile(ours, share) / np.quantile(floors, share)) for share in (0.5, 0.1)]
    print(f"  {ratios[0]:.2f} times the floor at the median (goal: at most 2), {ratios[1]:.2f} times at the p10")


def authentication(data: Path) -> None:
    """What it costs to find out who signed a request with an image, in process."""
    keys, content, times = KeyRing.open(data, ACCOUNT), png(), []
    plain = {"Content-Type": "image/png", "Content-Length": str(len(content)), "User-Agent": "boto3"}
    sent = AWSRequest("POST", f"http://127.0.0.1:4566/endpoints/{ENDPOINT}/invocations", plain, content)
    SigV4Auth(Credentials(keys.root.id, keys.root.secret), "sagemaker", REGION).add_auth(sent)
    headers = [(name.lower().encode(), value.encode()) for name, value in sent.headers.items()]
    headers.append((b"host", b"127.0.0.1:4566"))
    path = urlsplit(sent.url).path
    scope = {"method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content}

    async def ask() -> None:
        doors = Doors(frozenset())
        for _ in range(5000):
            began = time.perf_counter()
            assert doors.refusal(scope, dict(headers)) is None
            await verify(request_of(scope), receive, keys)
            times.append(time.perf_counter() - began)

    asyncio.run(ask())
    print("Authentication of one request, in process (goal: at most 0.15 ms):")
    show("doors and signature", times)


def throughput(folder: Path, url: str, pid: int, seconds: float) -> None:
    print(f"Throughput on {CORES} cores, {seconds:g} s each:")
    with ProcessPoolExecutor(CORES) as pool:
        floors = list(pool.map(many, [folder] * CORES, [seconds] * CORES))
    floor_count = sum(len(times) for times, _ in floors)
    floor_cpu = sum(cpu for _, cpu in floors) / floor_count
    before = tree_cpu(pid)
    with ProcessPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(many, [url] * CLIENTS, [seconds] * CLIENTS))
    count = sum(len(times) for times, _ in answers)
    server_cpu = (tree_cpu(pid) - before) / (count + WARM_UP * CLIENTS)
    client_cpu = sum(cpu for _, cpu in answers) / count
    show(f"floor, {CORES} processes", [each for times, _ in floors for each in times])
    show(f"endpoint, {CLIENTS} clients", [each for times, _ in answers for each in times])
    print(f"  a second: floor {floor_count / seconds:.0f}, endpoint {count / seconds:.0f}: {count / floor_count:.0%}")
    left = 1 - client_cpu * count / (CORES * seconds)
    print(f"  the same with the clients' share of the cores taken out: {count / left / floor_count:.0%}")
    print(
        f"  CPU a request: floor {floor_cpu * 1e3:.2f} ms, cloud and container {server_cpu * 1e3:.2f} ms, "
        f"client {client_cpu * 1e3:.2f} ms"
    )
    print(
        f"  {floor_cpu / server_cpu:.0%} of the floor's throughput by CPU time, client excluded (goal: at least 60 %)"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, help="a model.tar.gz to serve (default: the default network, untrained)")
    options.add_argument("--seconds", type=float, default=10, help="of each measurement (default: %(default)s)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        data = base / "cloud"
        data.mkdir()
        if given.model:
            folder = base / "model"
            unpack(given.model, folder)
        else:
            folder = make_model(base)
        archive = base / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, ".")
        with cloud(data) as (url, pid):
            deploy(url, archive)
            authentication(data)
            latency(folder, url, given.seconds)
            throughput(folder, url, pid, given.seconds)


if __name__ == "__main__":
    main()
