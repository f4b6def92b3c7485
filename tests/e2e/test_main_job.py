"""The main job through the real scheduler: the whole chain, then a second time over what the first left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from include.launcher.workflow import CHAIN
from tests.stack import Launcher

BUCKET = "scones-unlimited-000000000000-us-east-1"


def test_the_summary_says_what_was_done(main_job: str) -> None:
    assert "sample" in main_job
    assert "120 training and 40 test images of bicycle, motorcycle" in main_job
    assert "State machine executions" in main_job
    rows = [line for line in main_job.splitlines() if line.strip().startswith("datasets/")]
    assert len(rows) == 5
    assert all(line.split()[-1] in ("accepted", "refused") for line in rows)


@pytest.mark.usefixtures("main_job")
def test_every_run_succeeded(launcher: Launcher) -> None:
    with launcher.api() as api:
        for dag_id in CHAIN:
            # Runs by hand of the later DAGs are other tests', some of them made to fail.
            ours = [run for run in api.runs(dag_id) if dag_id == CHAIN[0] or run["run_type"] != "manual"]
            states = [run["state"] for run in ours]
            assert states and set(states) <= {"success", "running", "queued"}, dag_id


@pytest.mark.usefixtures("main_job")
def test_the_endpoint_serves_and_captures_everything(aws: Path) -> None:
    endpoint = boto3.client("sagemaker").describe_endpoint(EndpointName="scones-unlimited-endpoint")
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["DataCaptureConfig"]["CurrentSamplingPercentage"] == 100


@pytest.mark.usefixtures("main_job")
def test_the_report_counts_what_was_captured(aws: Path) -> None:
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    lines = 0
    for key in keys:
        if key.startswith("data_capture/"):
            lines += len(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().splitlines())
    reports = [key for key in keys if key.startswith("reports/capture/") and key.endswith("summary.json")]
    summaries = [json.load(s3.get_object(Bucket=BUCKET, Key=key)["Body"]) for key in reports]
    # 8 images of the smoke test and 5 executions, before any other test asks the endpoint.
    assert lines >= max(summary["records"] for summary in summaries) >= 13


@pytest.mark.usefixtures("main_job")
def test_a_low_confidence_fails_the_execution_loudly(aws: Path) -> None:
    machines = boto3.client("stepfunctions").list_state_machines()["stateMachines"]
    arn = next(item["stateMachineArn"] for item in machines if item["name"] == "scones-unlimited-inference")
    definition = json.loads(boto3.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"])
    assert "FilterInferences" in definition["States"]
    assert not any("Catch" in state for state in definition["States"].values())


@pytest.mark.usefixtures("main_job")
def test_nothing_listens_beyond_loopback(launcher: Launcher) -> None:
    listening = [
        connection.laddr.ip
        for file in (launcher.config.home / "run").glob("*.json")
        for process in _family(json.loads(file.read_text())["pid"])
        for connection in _connections(process)
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening and set(listening) == {"127.0.0.1"}


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _connections(process: psutil.Process) -> list[Any]:
    try:
        return process.net_connections("inet")
    except psutil.NoSuchProcess:  # a task that has ended
        return []
