"""The DAGs import, declare what they should, stay light to parse, and hand over by assets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Asset

from include.image_classification.errors import ClientError
from include.image_classification.hyperparameters import parse
from include.operators.exclusion import DELETE, KEPT_OUT, TEARDOWN, exclude
from include.operators.retries import FinalErrorsFail
from include.scones.errors import StackError
from include.scones.models.training_job import HYPERPARAMETERS, LARGE_LAYERS, SMALL_LAYERS
from include.scones.settings import BUILT_IN, CLASS_NAMES, ENDPOINT_INSTANCE
from include.scones.thresholds import list_thresholds
from tests.conftest import ROOT

DAG_IDS = {path.stem for path in (ROOT / "dags").glob("*.py")}
TAGS = {"scones", "etl", "training", "inference", "report", "batch", "cleanup"}
# Without boto3, which the provider's operators import themselves.
HEAVY = ("sagemaker", "torch", "matplotlib", "pyarrow", "numpy", "pandas", "PIL")


@pytest.fixture(scope="module")
def dagbag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagBag]:
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    yield DagBag(dag_folder=str(ROOT / "dags"))


def test_every_file_is_one_dag_of_its_name(dagbag: DagBag) -> None:
    assert dagbag.import_errors == {}
    assert set(dagbag.dag_ids) == DAG_IDS
    assert {"cifar_etl", "train_and_deploy", "inference_workflow", "capture_report"} <= DAG_IDS


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_dag_declares_itself(dagbag: DagBag, dag_id: str) -> None:
    dag = dagbag.dags[dag_id]
    assert dag.doc_md and dag.doc_md.strip().startswith("###")
    assert "scones" in dag.tags and set(dag.tags) <= TAGS
    assert dag.catchup is False
    assert dag.dagrun_timeout is not None
    assert all((task.retries or 0) >= 2 for task in dag.tasks)


def test_assets_chain_the_dags(dagbag: DagBag) -> None:
    produced = {
        (outlet.name, dag_id) for dag_id, dag in dagbag.dags.items() for task in dag.tasks for outlet in task.outlets
    }
    consumed = {
        (asset.name, dag_id)
        for dag_id, dag in dagbag.dags.items()
        if hasattr(dag.timetable, "asset_condition")
        for asset in _assets(getattr(dag.timetable, "asset_condition", None))
    }
    assert produced >= {
        ("scones_dataset", "cifar_etl"),
        ("scones_endpoint", "train_and_deploy"),
        ("scones_kept_endpoint", "roll_back"),
        ("scones_executions", "inference_workflow"),
        ("scones_report", "capture_report"),
    }
    assert consumed == {
        ("scones_dataset", "train_and_deploy"),
        ("scones_endpoint", "inference_workflow"),
        ("scones_executions", "capture_report"),
    }


def _assets(condition: Any) -> list[Asset]:
    if condition is None:
        return []
    return [condition] if isinstance(condition, Asset) else [a for part in condition.objects for a in _assets(part)]


def test_executions_are_mapped(dagbag: DagBag) -> None:
    assert dagbag.dags["inference_workflow"].get_task("execute").is_mapped


@pytest.mark.system
def test_nothing_heavy_is_imported_to_parse() -> None:
    """In a process that has imported nothing before: all that the DAG files, and what they import, bring with them."""
    code = (
        "import runpy, sys\n"
        f"for name in {sorted(DAG_IDS)}: runpy.run_path(f'dags/{{name}}.py')\n"
        "print('modules:', *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = done.stdout.partition("modules:")[2].split()
    assert "airflow" in modules
    assert set(modules).isdisjoint(HEAVY), f"move into the task: {sorted(set(modules) & set(HEAVY))}"


def test_defaults_of_the_params_are_the_librarys(dagbag: DagBag) -> None:
    def default(dag_id: str, name: str) -> object:
        return dagbag.dags[dag_id].params.get_param(name).value

    assert default("cifar_etl", "classes") == list(CLASS_NAMES.values())
    assert default("batch_inference", "threshold") is None  # the one in force
    assert default("train_and_deploy", "training_instance") is None  # the algorithm's
    assert default("train_and_deploy", "algorithm") == BUILT_IN
    assert default("train_and_deploy", "endpoint_instance") == ENDPOINT_INSTANCE
    params = set(dagbag.dags["train_and_deploy"].params)
    for name in params & set(HYPERPARAMETERS):
        assert default("train_and_deploy", name) == HYPERPARAMETERS[name]
    others = (
        params
        - set(HYPERPARAMETERS)
        - {"min_accuracy", "max_accuracy_loss", "algorithm", "training_instance", "endpoint_instance"}
        - {"dataset", "train_only", "approval", "bake_seconds"}
    )
    assert not others, f"a param that no training job gets: add {others} to HYPERPARAMETERS in models/training_job.py"


def test_every_hyperparameter_is_one_that_the_trainer_takes() -> None:
    sent = {name: str(value) for name, value in HYPERPARAMETERS.items()}
    parse(sent | {"num_classes": "2", "num_training_samples": "1000"})
    with pytest.raises(ClientError, match="no_such"):
        parse(sent | {"num_classes": "2", "num_training_samples": "1000", "no_such": "1"})


def test_the_trigger_form_takes_every_depth_of_the_algorithm(dagbag: DagBag) -> None:
    param = dagbag.dags["train_and_deploy"].params.get_param("num_layers")
    for depth in SMALL_LAYERS + LARGE_LAYERS:
        assert param.resolve(depth) == depth


@pytest.mark.parametrize("classes", [2, 3, 100])
def test_the_trigger_form_takes_every_threshold_that_there_is(dagbag: DagBag, classes: int) -> None:
    param = dagbag.dags["inference_workflow"].params.get_param("threshold")
    for threshold in list_thresholds(classes):
        assert param.resolve(threshold) == threshold


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_every_task_has_a_time_limit_and_outlasts_an_outage(dagbag: DagBag, dag_id: str) -> None:
    dag: Any = dagbag.dags[dag_id]
    for task in dag.tasks:
        limit = task.execution_timeout
        assert limit is not None and limit <= dag.dagrun_timeout, f"{task.task_id} may run for ever"
        assert getattr(task, "timeout", 0) <= dag.dagrun_timeout.total_seconds(), f"{task.task_id} waits too long"
        assert isinstance(task.retry_policy, FinalErrorsFail), f"{task.task_id} tries final errors again"
        assert shortest_tries(task) >= timedelta(minutes=10), f"{task.task_id} does not outlast an outage"


def shortest_tries(task: Any) -> timedelta:
    """How long the task is tried again at least, as Airflow computes it: without the random part of each pause."""
    pauses = [task.retry_delay * task.retry_exponential_backoff**attempt for attempt in range(task.retries)]
    return sum((min(pause, task.max_retry_delay) for pause in pauses), timedelta())


def test_a_deletion_excludes_every_run_that_makes_something(dagbag: DagBag) -> None:
    assert set(KEPT_OUT) == DAG_IDS - {TEARDOWN, "capture_report"}
    assert dagbag.dags[TEARDOWN].has_task(DELETE)
    for dag in dagbag.dags.values():
        tasks: Any = dag.tasks
        for task in tasks:
            hook = task.partial_kwargs["pre_execute"] if task.is_mapped else task._pre_execute_hook
            assert hook is exclude, f"{dag.dag_id}.{task.task_id} runs beside a deletion"


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_every_form_starts_with_its_defaults(dagbag: DagBag, dag_id: str) -> None:
    """Airflow's form takes an empty text for one that is missing."""
    params: Any = dagbag.dags[dag_id].params
    for name in params:
        param = params.get_param(name)
        if "null" not in param.schema["type"]:
            assert param.value not in (None, ""), f"{name} must be given: make it nullable, with None as its default"


@pytest.mark.parametrize(("error", "action"), [(StackError("run cifar_etl first"), "fail"), (OSError(), "default")])
def test_final_errors_alone_end_the_tries(error: Exception, action: str) -> None:
    assert FinalErrorsFail().evaluate(error, 1, 6).action.value == action
