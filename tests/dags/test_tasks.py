"""Tasks of the DAGs as Airflow calls them, where what they publish, or that they fail at once, is their point."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Metadata
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, ParamValidationError

from include.scones.errors import NoDatasetError
from include.scones.settings import CLASS_NAMES
from tests.conftest import ROOT, Cloud
from tests.datasets import describe

Task = Callable[..., Any]


@pytest.fixture(scope="module")
def dagbag(tmp_path_factory: pytest.TempPathFactory) -> DagBag:
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture
def task(cloud: Cloud, dagbag: DagBag, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Task]:
    """The function of a task, with a bucket of its own."""
    name = f"scones-test-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    monkeypatch.setenv("SCONES_BUCKET", name)

    def function(dag_id: str, task_id: str) -> Task:
        found: Any = dagbag.dags[dag_id].get_task(task_id)
        return cast(Task, found.python_callable)

    return function


def test_an_event_is_for_what_is_new(task: Callable[[str, str], Task]) -> None:
    """Also for the retry of the attempt that made it new; and with `force` for what is not."""
    announce = task("cifar_etl", "announce")
    data, params = describe(), {"force": False}
    for _ in ("first attempt", "retry"):
        (event,) = announce(data, params, "run 1")
        assert isinstance(event, Metadata) and event.extra == data
    with pytest.raises(AirflowSkipException, match=f"{data['digest']} is the current one already"):
        list(announce(data, params, "run 2"))
    assert len(list(announce(data, {"force": True}, "run 2"))) == 1


@pytest.mark.parametrize("dataset", [None, "f" * 16])
def test_training_without_a_data_set_fails_at_once(task: Callable[[str, str], Task], dataset: str | None) -> None:
    prepare = task("train_and_deploy", "prepare")
    with pytest.raises(NoDatasetError, match="run cifar_etl"):
        prepare({"dataset": dataset}, "run 1", SimpleNamespace(), {})


def test_the_form_takes_classes_by_name_and_the_api_by_number_too(dagbag: DagBag) -> None:
    param = dagbag.dags["cifar_etl"].params.get_param("classes")
    assert param.schema["examples"][8] == "bicycle"
    for chosen in (list(CLASS_NAMES.values()), list(CLASS_NAMES), ["worm", 0]):
        assert param.resolve(chosen) == chosen
    for wrong in (["bicycle", "car"], [8, 100], ["bicycle"], ["bicycle", "bicycle"]):
        with pytest.raises(ParamValidationError):
            param.resolve(wrong)


@pytest.mark.parametrize("dag_id", ["train_and_deploy", "roll_back", "inference_workflow"])
def test_nobody_is_asked_unless_the_run_says_so(dagbag: DagBag, dag_id: str) -> None:
    approve: Any = dagbag.dags[dag_id].get_task("approve")
    default = dagbag.dags[dag_id].params.get_param("approval").value
    assert default is False
    assert approve.execute({"params": {"approval": default}}) is None


def test_who_does_not_answer_in_time_is_not_asked_again(dagbag: DagBag) -> None:
    approve: Any = dagbag.dags["roll_back"].get_task("approve")
    event = {"error": "The timeout has passed, and the response is not yet received.", "error_type": "timeout"}
    with pytest.raises(AirflowFailException, match=r"^nobody answered in 1 day, 0:00:00: trigger a new run"):
        approve.execute_complete({}, event)
