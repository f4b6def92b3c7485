"""
### Train, check, serve

Trains SageMaker's image classification on a data set, and puts the model into service only if it is accurate enough and
no worse than the one in service on the same test images: one training job a run however often its tasks are retried, an
endpoint that captures all of its traffic, and a smoke test on real test images. The endpoint in service stays untouched
when anything before it fails; when the smoke test fails, what served before serves again, and an endpoint that served
nothing before is deleted.

The data set is the one of the event that started the run; by hand the current one, or the one that `dataset` names.
With `train_only`, or when approval is refused, the model is kept and `roll_back` can put it into service.

Publishes the asset `scones_endpoint`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Param, dag, task

from include.operators.approval import APPROVAL, OptionalApproval
from include.operators.defaults import DAG_ARGUMENTS
from include.operators.rollout import plan_rollout, scale
from include.operators.run_types import AFTER_AN_ASSET
from include.operators.sagemaker import (
    BAKE_SECONDS,
    EndpointConfigOperator,
    EndpointOperator,
    ModelOperator,
    TrainingOperator,
)
from include.operators.smoke_test import SmokeTestOperator
from include.scones.models.training_job import HYPERPARAMETERS as DEFAULTS
from include.scones.models.training_job import LARGE_LAYERS, SMALL_LAYERS
from include.scones.settings import TRAINING_INSTANCES, algorithm, endpoint_instance

DATASET = Asset("scones_dataset")
ENDPOINT = Asset("scones_endpoint")
INSTANCE = r"^ml\.[a-z0-9-]+\.[a-z0-9]+$"


@dag(
    **DAG_ARGUMENTS,
    schedule=[DATASET],
    allowed_run_types=AFTER_AN_ASSET,
    max_active_runs=1,
    tags=["scones", "training"],
    doc_md=__doc__,
    dagrun_timeout=timedelta(days=2),
    params={
        "epochs": Param(DEFAULTS["epochs"], type="integer", minimum=1, maximum=300, title="Epochs"),
        "learning_rate": Param(
            DEFAULTS["learning_rate"], type="number", exclusiveMinimum=0, maximum=1, title="Learning rate"
        ),
        "mini_batch_size": Param(
            DEFAULTS["mini_batch_size"], type="integer", minimum=1, maximum=512, title="Batch size"
        ),
        "num_layers": Param(
            DEFAULTS["num_layers"],
            type="integer",
            enum=[*SMALL_LAYERS, *LARGE_LAYERS],
            title="Layers of the ResNet",
            description="At 28 pixels 20, 32, 44, 56 or 110, at 32 pixels 18, 34, 50, 101, 152 or 200.",
        ),
        "image_shape": Param(
            DEFAULTS["image_shape"],
            type="string",
            enum=["3,28,28", "3,32,32"],
            title="Image shape",
            description="Channels, height and width that the network sees of the images of 32 x 32 pixels.",
        ),
        "min_accuracy": Param(
            0.8,
            type="number",
            minimum=0,
            maximum=1,
            title="Least accuracy",
            description="A model below this validation accuracy is not put into service.",
        ),
        "max_accuracy_loss": Param(
            0.0,
            type="number",
            minimum=0,
            maximum=1,
            title="Greatest loss of accuracy",
            description="How much less accurate than the model in service, on the same test images, a new one may be.",
        ),
        "dataset": Param(
            None,
            type=["null", "string"],
            pattern="^[0-9a-f]{16}$",
            title="Data set",
            description="The digest under `datasets/`; the event's, or the current one, when left empty.",
        ),
        "train_only": Param(
            False,
            type="boolean",
            title="Train only",
            description="Train, judge and keep the model, and put nothing into service.",
        ),
        "bake_seconds": BAKE_SECONDS,
        "approval": APPROVAL,
        "algorithm": Param(
            algorithm(),
            type="string",
            enum=[*TRAINING_INSTANCES],
            title="Algorithm",
            description="SageMaker's built-in one, or the project's own container that `make container-image` pushes.",
        ),
        "training_instance": Param(
            None,
            type=["null", "string"],
            pattern=INSTANCE,
            title="Training instance",
            description="`SCONES_TRAINING_INSTANCE` when left empty, or else a GPU for the built-in algorithm and a CPU"
            " for the own container.",
        ),
        "endpoint_instance": Param(endpoint_instance(), type="string", pattern=INSTANCE, title="Endpoint instance"),
    },
)
def train_and_deploy() -> None:
    @task(multiple_outputs=True)
    def prepare(params: dict[str, Any], run_id: str, dag_run: Any, triggering_asset_events: Any) -> dict[str, Any]:
        """Choose the data set, and build the requests of this run."""
        from include.scones import settings, stacks
        from include.scones.cifar import catalogue
        from include.scones.models.requests import build_requests
        from include.scones.run_names import run_name

        here = settings.load()
        events = [event.extra for event in triggering_asset_events.get(DATASET, [])]
        data = catalogue.choose(here.bucket, params["dataset"], events)
        name = run_name(here.project, run_id, dag_run.run_after)
        foundation = stacks.stack_outputs(here.foundation_stack)
        hyperparameters = {name: value for name, value in params.items() if name in DEFAULTS}
        here = replace(
            here,
            algorithm=params["algorithm"],
            training_instance=params["training_instance"] or settings.training_instance(params["algorithm"]),
            endpoint_instance=params["endpoint_instance"],
        )
        return build_requests(here, name, foundation, data, hyperparameters) | {"dataset": data}

    @task
    def check_accuracy(trained: dict[str, Any], data: dict[str, Any], params: dict[str, Any]) -> float:
        """The gate: nothing is deployed below the least accuracy, or that is worse than what is in service."""
        from include.scones import settings
        from include.scones.models import accuracy

        reached = accuracy.check_accuracy(trained["Training"], params["min_accuracy"])
        figure = accuracy.figure(trained["Training"])
        accuracy.check_no_worse(settings.load(), reached, data, params["max_accuracy_loss"], figure)
        return reached

    @task.short_circuit
    def goes_on(params: dict[str, Any]) -> bool:
        return not params["train_only"]

    @task
    def prune() -> list[str]:
        """Keep the last models and endpoint configs only, and the data sets that they, or somebody lately, used."""
        from include.scones import settings
        from include.scones.models import pruning

        here = settings.load()
        return pruning.prune(here) + pruning.prune_datasets(here, datetime.now(UTC))

    requests = prepare()
    train = TrainingOperator(
        task_id="train", config=requests["training"], check_interval=3, max_attempts=7200, max_ingestion_time=6 * 3600
    )
    accuracy = check_accuracy(train.output, requests["dataset"])
    model = ModelOperator(task_id="create_model", config=requests["model"])
    endpoint_config = EndpointConfigOperator(task_id="create_endpoint_config", config=requests["endpoint_config"])
    approve = OptionalApproval(
        task_id="approve",
        subject="Put the model of {{ run_id }} into service?",
        body="Accuracy {{ ti.xcom_pull(task_ids='check_accuracy') }} on the test images of the data set"
        " {{ ti.xcom_pull(task_ids='prepare', key='dataset')['digest'] }}.",
    )
    planned = plan_rollout(requests["endpoint"])
    endpoint = EndpointOperator(task_id="deploy_endpoint", config=planned["endpoint"], check_interval=3)
    tested = SmokeTestOperator(
        task_id="smoke_test",
        deployed=planned["endpoint"],
        former=planned["former"],
        dataset=requests["dataset"],
        accuracy=accuracy,
        training_job="{{ ti.xcom_pull(task_ids='prepare', key='training')['TrainingJobName'] }}",
        outlet=ENDPOINT,
    )
    accuracy >> model >> endpoint_config >> goes_on() >> approve >> planned >> endpoint >> tested >> [scale(), prune()]


train_and_deploy()
