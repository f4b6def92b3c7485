"""What goes wrong in Airflow reaches a subscriber of the stack's topic; before there is a stack, nothing breaks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from include.operators.alerts import AlertNotifier
from include.scones import settings, stacks
from tests.conftest import Cloud
from tests.waiting import awaited


@pytest.fixture
def project(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    monkeypatch.setenv("SCONES_PROJECT", "airflow-alerts")
    monkeypatch.setenv("SCONES_BUCKET", "airflow-alerts")
    return settings.load()


def test_without_a_stack_there_is_nobody_to_tell(project: settings.Settings, caplog: pytest.LogCaptureFixture) -> None:
    stacks.delete_stack(project.inference_stack)
    AlertNotifier(subject="cifar_etl failed", message="why").notify({})
    assert "cifar_etl failed: why" in caplog.text
    assert "no topic to tell" in caplog.text


def test_each_of_several_failed_runs_has_a_message_of_its_own(
    project: settings.Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """All DAGs share one notifier, and one process calls it for many runs."""
    stacks.delete_stack(project.inference_stack)
    notifier = AlertNotifier(subject="{{ dag_id }} failed", message="The run {{ run_id }} failed.")
    for dag_id, run_id in (("cifar_etl", "first"), ("train_and_deploy", "second")):
        notifier({"dag_id": dag_id, "run_id": run_id})
    late: Any = AlertNotifier(subject="{{ dag_id }} is late", message="It is.")

    async def told_late() -> None:
        for dag_id in ("capture_report", "another"):
            late.context = {"dag_id": dag_id}
            await late

    awaited(told_late())
    told = [message for message in caplog.messages if "failed: " in message or "late: " in message]
    assert told == [
        "cifar_etl failed: The run first failed.",
        "train_and_deploy failed: The run second failed.",
        "capture_report is late: It is.",
        "another is late: It is.",
    ]


def test_failures_and_late_reports_reach_a_subscriber(
    project: settings.Settings, subscriber: tuple[str, Any], tmp_path: Path
) -> None:
    address, messages = subscriber
    stacks.deploy_foundation(project)
    topic = stacks.deploy_inference(project, 0.93).outputs["AlertTopicArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=address)
    time.sleep(1)
    AlertNotifier(subject="cifar_etl failed", message="the run x of cifar_etl failed").notify({})
    late = AlertNotifier(subject="capture_report is late", message="the report is not there")
    awaited(late.async_notify({}))
    wanted = {"cifar_etl failed": "the run x of cifar_etl failed", "capture_report is late": "the report is not there"}
    got: dict[str, str] = {}
    while not wanted.keys() <= got.keys():
        message = messages.get(timeout=30)  # the new stack's alarms speak up too
        got[message["Subject"]] = message["Message"]
    assert {subject: got[subject] for subject in wanted} == wanted
