"""
### Put a kept model back into service

Serves a model again that was in service before, or that was trained and never served: the endpoint goes over to its
endpoint config without a break, passes the smoke test on the test images of the data set that it was trained on, and is
in the history of deployments. The last three models made and the last three served are kept.

Publishes the asset `scones_endpoint`, as `train_and_deploy` does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Metadata, Param, dag, task

from include.operators.approval import APPROVAL, OptionalApproval
from include.operators.defaults import DAG_ARGUMENTS
from include.operators.final import fail_on
from include.operators.sagemaker import EndpointOperator
from include.scones.errors import NoDatasetError, NotKeptError, ServingError

ENDPOINT = Asset("scones_endpoint")


@dag(
    **DAG_ARGUMENTS,
    schedule=None,
    max_active_runs=1,
    tags=["scones", "training"],
    doc_md=__doc__,
    dagrun_timeout=timedelta(days=2),
    params={
        "endpoint_config": Param(
            None,
            type=["null", "string"],
            pattern="^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}$",
            title="Endpoint config",
            description="The name of a kept one; the one that was in service before the present one when left empty.",
        ),
        "approval": APPROVAL,
    },
)
def roll_back() -> None:
    @task(multiple_outputs=True)
    def choose(params: dict[str, Any]) -> dict[str, Any]:
        """Find the model, and the data set that it was trained on."""
        from include.scones import settings
        from include.scones.models import rollback

        with fail_on(NotKeptError, NoDatasetError):
            return rollback.choose(settings.load(), params["endpoint_config"])

    @task(outlets=[ENDPOINT])
    def smoke_test(chosen: dict[str, Any], run_id: str) -> Any:
        """Ask the endpoint about real test images, and write down that this model serves again."""
        from include.scones import settings
        from include.scones.models import endpoint_check

        here = settings.load()
        with fail_on(ServingError):
            result = endpoint_check.accept(here, chosen["dataset"], chosen["accuracy"], chosen["training_job"], run_id)
        yield Metadata(ENDPOINT, extra=result)
        return result

    chosen = choose()
    approve = OptionalApproval(
        task_id="approve",
        subject="Put {{ ti.xcom_pull(task_ids='choose', key='training_job') }} back into service?",
        body="Its accuracy was {{ ti.xcom_pull(task_ids='choose', key='accuracy') }}.",
    )
    endpoint = EndpointOperator(task_id="deploy_endpoint", config=chosen["endpoint"], check_interval=3)
    chosen >> approve >> endpoint >> smoke_test(chosen)


roll_back()
