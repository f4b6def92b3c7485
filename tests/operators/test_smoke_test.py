"""A model that fails its smoke test serves no longer, through the tasks of the DAGs; nothing is written down of it."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Asset, AssetAlias
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.definitions.asset import AssetUniqueKey
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow.sdk.execution_time.context import OutletEventAccessors

from include.scones.aws.endpoints import find_endpoint
from include.scones.models import history
from include.scones.settings import Settings
from tests.alarms import make_alarm
from tests.brightness import await_endpoint, make_config, png
from tests.conftest import ROOT, Cloud
from tests.datasets import put_dataset
from tests.operators.running import TaskInstance, own_project

pytestmark = pytest.mark.cloud

IMAGES = {f"{level}.png": png(level) for level in (5, 30, 220, 250)}
LISTED = [(index, label, name) for index, (name, label) in enumerate(zip(IMAGES, (0, 0, 1, 1), strict=True))]
ENDPOINT = Asset("scones_endpoint")


class Attempt(TaskInstance):
    """The last attempt of a task has a `try_number` above `max_tries`."""

    try_number, max_tries = 1, 6


@pytest.fixture(scope="module")
def dagbag(tmp_path_factory: pytest.TempPathFactory) -> DagBag:
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture(scope="module")
def here(cloud: Cloud) -> Iterator[Settings]:
    """A project with a data set, a model that is good and one that takes each class for the other."""
    with own_project("smoke") as found:
        name = found.project
        make_config(found, f"{name}-good")
        make_config(found, f"{name}-bad", ("bright", "dark"))
        yield found
        boto3.client("sagemaker").delete_endpoint(EndpointName=found.endpoint)


@pytest.fixture(scope="module")
def data(here: Settings) -> dict[str, Any]:
    return put_dataset(here.bucket, LISTED, IMAGES)


def run(operator: Any, method: str = "execute", arguments: Mapping[str, Any] | None = None) -> Any:
    """The task as the task runner calls it; what it publishes."""
    events = OutletEventAccessors()
    context = {"ti": Attempt(), "run_id": "run", "params": operator.dag.params, "outlet_events": events}
    copied = contextvars.copy_context()
    copied.run(ExecutorSafeguard.tracker.set, operator)
    copied.run(lambda: getattr(operator, method)(context=context, **(arguments or {})))
    return events


def deploy(here: Settings, dagbag: DagBag, dag_id: str, config: str) -> dict[str, Any]:
    """`plan_rollout` and `deploy_endpoint` of a DAG; what the first one gave."""
    dag: Any = dagbag.dags[dag_id]
    request = {"EndpointName": here.endpoint, "EndpointConfigName": config}
    planned: dict[str, Any] = dag.get_task("plan_rollout").python_callable(request, {"bake_seconds": 0})
    operator = dag.get_task("deploy_endpoint")
    operator.config, operator.aws_conn_id = dict(planned["endpoint"]), None
    with pytest.raises(TaskDeferred):
        run(operator)
    await_endpoint(here)
    return planned


def smoke_test(dagbag: DagBag, dag_id: str, planned: dict[str, Any], data: dict[str, Any]) -> Any:
    operator: Any = dagbag.dags[dag_id].get_task("smoke_test")
    operator.deployed, operator.former, operator.aws_conn_id = planned["endpoint"], planned["former"], None
    operator.dataset, operator.accuracy, operator.training_job = data, 1.0, "job"
    return operator


def serving(here: Settings) -> str:
    return str(boto3.client("sagemaker").describe_endpoint(EndpointName=here.endpoint)["EndpointConfigName"])


def test_the_first_model_that_fails_leaves_no_endpoint(here: Settings, dagbag: DagBag, data: dict[str, Any]) -> None:
    cloudwatch, alarm = boto3.client("cloudwatch"), f"{here.project}-idle-endpoint"
    make_alarm(cloudwatch, alarm)
    planned = deploy(here, dagbag, "train_and_deploy", f"{here.project}-bad")
    assert planned["former"] is None
    operator = smoke_test(dagbag, "train_and_deploy", planned, data)
    told = (
        rf"{here.endpoint} got only 0 of 4 test images right\. {here.endpoint} served nothing before, so it is deleted"
    )
    with pytest.raises(AirflowFailException, match=told):
        run(operator)
    await_endpoint(here, "endpoint_deleted")
    assert not cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["ActionsEnabled"]
    assert history.newest_configs(here) == []


@pytest.mark.parametrize("dag_id", ["train_and_deploy", "roll_back"])
def test_what_served_before_serves_again(
    here: Settings, dagbag: DagBag, data: dict[str, Any], dag_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = f"{here.project}-good", f"{here.project}-bad"
    if (find_endpoint(here) or {}).get("EndpointConfigName") != good:
        planned = deploy(here, dagbag, dag_id, good)
        published = run(smoke_test(dagbag, dag_id, planned, data))
        assert published[ENDPOINT].extra["endpoint_config"] == good
    recorded = history.in_service(here)

    planned = deploy(here, dagbag, dag_id, bad)
    assert (planned["former"], serving(here)) == (good, bad)
    operator = smoke_test(dagbag, dag_id, planned, data)
    with pytest.raises(TaskDeferred) as deferred:
        run(operator)
    await_endpoint(here)
    with pytest.raises(AirflowFailException) as failed:
        run(operator, deferred.value.method_name, deferred.value.kwargs)
    assert str(failed.value) == (
        f"{here.endpoint} got only 0 of 4 test images right. {here.endpoint} serves {good} again, as before"
    )
    assert serving(here) == good
    assert history.in_service(here) == recorded
    assert f"{here.endpoint} goes back to {good}" in capsys.readouterr().out

    # Cleared by somebody, the task neither takes one model for the other nor touches what serves.
    with pytest.raises(AirflowFailException, match=rf"serves {good}, not {bad}.*and is left as it is"):
        run(operator)
    assert history.in_service(here) == recorded


def test_the_failure_is_told(here: Settings, dagbag: DagBag, caplog: pytest.LogCaptureFixture) -> None:
    operator: Any = dagbag.dags["roll_back"].get_task("smoke_test")
    (tell,) = operator.on_failure_callback
    tell({"dag": operator.dag, "run_id": "r", "exception": AirflowFailException("why. what serves again")})
    assert "roll_back: a model failed its smoke test: The run r: why. what serves again." in caplog.text


def test_a_kept_model_is_announced_through_the_alias(here: Settings, dagbag: DagBag, data: dict[str, Any]) -> None:
    planned = {"endpoint": {"EndpointConfigName": f"{here.project}-good"}, "former": None}
    published = run(smoke_test(dagbag, "roll_back", planned, data))
    (event,) = published[AssetAlias("scones_kept_endpoint")].asset_alias_events
    assert event.dest_asset_key == AssetUniqueKey.from_asset(ENDPOINT)


def test_what_may_pass_is_tried_again(here: Settings, dagbag: DagBag, data: dict[str, Any]) -> None:
    operator = smoke_test(dagbag, "roll_back", {"endpoint": {"EndpointConfigName": "x"}, "former": None}, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:1")
        with pytest.raises(Exception, match="Could not connect") as raised:
            run(operator)
    assert not isinstance(raised.value, AirflowFailException)
