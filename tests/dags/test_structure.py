"""The DAGs import, declare what they should, stay light to parse, and hand over by assets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Asset

from tests.conftest import ROOT

DAG_IDS = {path.stem for path in (ROOT / "dags").glob("*.py")}
TAGS = {"scones", "etl", "training", "inference", "report", "batch", "cleanup"}
# The gate's verdict does not change with another look.
NOT_RETRIED = {"check_accuracy"}
HEAVY = ("boto3", "sagemaker", "torch", "matplotlib", "pyarrow", "numpy")


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
    assert all((task.retries or 0) >= 2 or task.task_id in NOT_RETRIED for task in dag.tasks)


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
    """What the DAG files add to the modules that Airflow and the provider load themselves."""
    code = (
        "import sys, runpy, airflow.sdk, airflow.providers.amazon.aws.operators.sagemaker as _;"
        "import airflow.providers.amazon.aws.operators.step_function as _, airflow.triggers.base as _;"
        f"before = set(sys.modules); [runpy.run_path(f'dags/{{name}}.py') for name in {sorted(DAG_IDS)}];"
        "print(*(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    added = {name.split(".")[0] for name in done.stdout.split()}
    assert added.isdisjoint(HEAVY)
