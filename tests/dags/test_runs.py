"""What docs/runs.md says of each way to start a run is what the DAGs let Airflow do."""

from __future__ import annotations

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.serialization.encoders import coerce_to_core_timetable

from tests.conftest import ROOT

# The run types in the order of the table's columns.
TYPES = ("manual", "scheduled", "backfill", "asset_triggered", "asset_materialization", "operator_triggered")


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DAG]:
    """With the schedule that makes a DAG of dates out of batch_inference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        patch.setenv("SCONES_BATCH_SCHEDULE", "@daily")
        patch.setenv("SCONES_BATCH_FOLDER", "s3://images/{{ ds }}/")
        bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)


def table() -> dict[str, list[str]]:
    lines = [line for line in (ROOT / "docs" / "runs.md").read_text().splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name.strip("`"): cells for name, *cells in rows}


def allowed(dag: DAG, run_type: str) -> bool:
    if run_type == "backfill" and not coerce_to_core_timetable(dag.timetable).periodic:
        return False
    return dag.allowed_run_types is None or any(each == run_type for each in dag.allowed_run_types)


def test_the_table_has_every_dag_and_every_run_type(dags: dict[str, DAG]) -> None:
    assert set(table()) == set(dags)
    assert all(len(cells) == len(TYPES) for cells in table().values())


def test_what_the_table_calls_refused_airflow_refuses_and_nothing_else(dags: dict[str, DAG]) -> None:
    said = {
        (name, kind): not cell.startswith("refused: ")
        for name, row in table().items()
        for kind, cell in zip(TYPES, row, strict=True)
    }
    assert said == {(name, kind): allowed(dag, kind) for name, dag in dags.items() for kind in TYPES}


def test_only_a_schedule_makes_dates_of_batch_inference(dags: dict[str, DAG]) -> None:
    assert dags["batch_inference"].timetable.can_be_scheduled
    assert dags["batch_inference"].params["folder"] == "s3://images/{{ ds }}/"
    without = DagBag(dag_folder=str(ROOT / "dags" / "batch_inference.py")).dags["batch_inference"]
    assert not without.timetable.can_be_scheduled
