"""
### Train, check, serve

Trains SageMaker's image classification on the dataset, and puts the model into service only if it is accurate enough:
one training job a run however often its tasks are retried, an endpoint that captures all of its traffic, and a smoke
test on real test images. The endpoint in service stays untouched when anything before it fails.

Publishes the asset `scones_endpoint`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Metadata, Param, dag, task

from include.operators.defaults import DAG_ARGUMENTS
from include.operators.run_types import AFTER_AN_ASSET
from include.operators.sagemaker import EndpointConfigOperator, EndpointOperator, ModelOperator, TrainingOperator
from include.scones.models.training_job import HYPERPARAMETERS as DEFAULTS
from include.scones.models.training_job import INSTANCE

DATASET = Asset("scones_dataset")
ENDPOINT = Asset("scones_endpoint")


@dag(
    **DAG_ARGUMENTS,
    schedule=[DATASET],
    allowed_run_types=AFTER_AN_ASSET,
    max_active_runs=1,
    tags=["scones", "training"],
    doc_md=__doc__,
    dagrun_timeout=timedelta(hours=6),
    params={
        "epochs": Param(DEFAULTS["epochs"], type="integer", minimum=1, maximum=300, title="Epochs"),
        "learning_rate": Param(
            DEFAULTS["learning_rate"], type="number", exclusiveMinimum=0, maximum=1, title="Learning rate"
        ),
        "mini_batch_size": Param(
            DEFAULTS["mini_batch_size"], type="integer", minimum=1, maximum=512, title="Batch size"
        ),
        "num_layers": Param(
            DEFAULTS["num_layers"], type="integer", enum=[20, 32, 44, 56, 110], title="Layers of the ResNet"
        ),
        "min_accuracy": Param(
            0.8,
            type="number",
            minimum=0,
            maximum=1,
            title="Least accuracy",
            description="A model below this validation accuracy is not put into service.",
        ),
        "instance_type": Param(INSTANCE, type="string", pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", title="Instance"),
    },
)
def train_and_deploy() -> None:
    @task(multiple_outputs=True)
    def prepare(params: dict[str, Any], run_id: str, dag_run: Any) -> dict[str, Any]:
        """Build the requests of this run."""
        from include.scones import settings, stacks
        from include.scones.cifar import dataset
        from include.scones.models.requests import build_requests
        from include.scones.run_names import run_name

        here = settings.load()
        chosen = {name: value for name, value in params.items() if name in DEFAULTS}
        return build_requests(
            here,
            run_name(here.project, run_id, dag_run.run_after),
            stacks.stack_outputs(here.foundation_stack)["SageMakerRoleArn"],
            dataset.describe(here.bucket),
            chosen,
            params["instance_type"],
        )

    @task(retries=0)
    def check_accuracy(trained: dict[str, Any], params: dict[str, Any]) -> float:
        """The gate: nothing is deployed below the least accuracy."""
        from include.scones.models import accuracy

        return accuracy.check_accuracy(trained["Training"], params["min_accuracy"])

    @task(outlets=[ENDPOINT])
    def smoke_test(accuracy: float, training: dict[str, Any], endpoint: dict[str, Any]) -> Any:
        """Ask the endpoint about real test images, and keep its answers to all of them for report and tuner."""
        from include.scones import settings
        from include.scones.cifar import dataset
        from include.scones.models import endpoint_check, predictions

        here = settings.load()
        data = dataset.describe(here.bucket)
        result = endpoint_check.smoke_test(here, data["classes"]) | {
            "accuracy": accuracy,
            "training_job": training["TrainingJobName"],
            "provenance": data["provenance"],
        }
        predictions.predict_test_images(here, endpoint["EndpointConfigName"])
        yield Metadata(ENDPOINT, extra=result)
        return result

    @task
    def prune() -> list[str]:
        """Keep the last models and endpoint configs only."""
        from include.scones import settings
        from include.scones.models import pruning

        return pruning.prune(settings.load())

    requests = prepare()
    train = TrainingOperator(
        task_id="train", config=requests["training"], check_interval=3, max_attempts=7200, max_ingestion_time=6 * 3600
    )
    accuracy = check_accuracy(train.output)
    model = ModelOperator(task_id="create_model", config=requests["model"])
    endpoint_config = EndpointConfigOperator(task_id="create_endpoint_config", config=requests["endpoint_config"])
    endpoint = EndpointOperator(task_id="deploy_endpoint", config=requests["endpoint"], check_interval=3)
    tested = smoke_test(accuracy, requests["training"], requests["endpoint"])
    accuracy >> model >> endpoint_config >> endpoint >> tested >> prune()


train_and_deploy()
