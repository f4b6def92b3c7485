"""
### Put a kept model back into service

Serves a model again that was in service before, or that was trained and never served: the endpoint goes over to its
endpoint config without a break, passes the smoke test on the test images of the data set that it was trained on, and is
in the history of deployments; when it fails the test, what served before serves again. The last three models made and
the last three served are kept.

Publishes the asset `scones_endpoint`, as `train_and_deploy` does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, AssetAlias, Param, dag, task

from include.operators.approval import APPROVAL, OptionalApproval
from include.operators.defaults import DAG_ARGUMENTS
from include.operators.rollout import plan_rollout, scale
from include.operators.run_types import ON_REQUEST
from include.operators.sagemaker import BAKE_SECONDS, EndpointOperator
from include.operators.smoke_test import SmokeTestOperator

ENDPOINT = Asset("scones_endpoint")
# Of an asset that two DAGs publish by its own name, Airflow would not know which one materializes it.
KEPT = AssetAlias("scones_kept_endpoint")


@dag(
    **DAG_ARGUMENTS,
    schedule=None,
    allowed_run_types=ON_REQUEST,
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
        "bake_seconds": BAKE_SECONDS,
        "approval": APPROVAL,
    },
)
def roll_back() -> None:
    @task(multiple_outputs=True)
    def choose(params: dict[str, Any]) -> dict[str, Any]:
        """Find the model, and the data set that it was trained on."""
        from include.scones import settings
        from include.scones.models import rollback

        return rollback.choose(settings.load(), params["endpoint_config"])

    chosen = choose()
    approve = OptionalApproval(
        task_id="approve",
        subject="Put {{ ti.xcom_pull(task_ids='choose', key='training_job') }} back into service?",
        body="Its accuracy was {{ ti.xcom_pull(task_ids='choose', key='accuracy') }}.",
    )
    planned = plan_rollout(chosen["endpoint"])
    endpoint = EndpointOperator(task_id="deploy_endpoint", config=planned["endpoint"], check_interval=3)
    tested = SmokeTestOperator(
        task_id="smoke_test",
        deployed=planned["endpoint"],
        former=planned["former"],
        dataset=chosen["dataset"],
        accuracy=chosen["accuracy"],
        training_job=chosen["training_job"],
        outlet=ENDPOINT,
        alias=KEPT,
    )
    chosen >> approve >> planned >> endpoint >> tested >> scale()


roll_back()
