"""
### From CIFAR-100 to training images

Brings the archive of the University of Toronto to S3, checks it, and writes the images of the chosen classes as PNG
files with `.lst` manifests, the form in which SageMaker's image classification reads them. Each data set lies under the
digest of its content, `datasets/<digest>/`, and never changes: a run with the same archive and classes writes nothing.

Publishes the asset `scones_dataset`, with the data set's description, when another data set becomes the current one;
the task `announce` is skipped when it is current already, unless `force` is set.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Metadata, Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from include.operators.defaults import DAG_ARGUMENTS
from include.operators.run_types import ON_DEMAND
from include.operators.steps import step_task
from include.scones.cifar.classes import NAMES
from include.scones.settings import CLASS_NAMES, default_archive

DATASET = Asset("scones_dataset")
ARCHIVE, SHA256 = default_archive()


@dag(
    **DAG_ARGUMENTS,
    schedule=None,
    allowed_run_types=ON_DEMAND,
    max_active_runs=1,
    tags=["scones", "etl"],
    doc_md=__doc__,
    dagrun_timeout=timedelta(hours=2),
    params={
        "archive": Param(
            ARCHIVE,
            type="string",
            minLength=1,
            title="Archive",
            description="A path that every worker can read, or an https:// or s3:// address.",
        ),
        "sha256": Param(
            SHA256,
            type=["null", "string"],
            pattern="^[0-9a-f]{64}$",
            title="SHA-256",
            description="The archive's checksum; known for the published archive, optional for others.",
        ),
        "classes": Param(
            list(CLASS_NAMES.values()),
            type="array",
            items={"anyOf": [{"enum": list(NAMES)}, {"type": "integer", "minimum": 0, "maximum": len(NAMES) - 1}]},
            examples=list(NAMES),
            minItems=2,
            uniqueItems=True,
            title="Classes",
            description="Fine classes of CIFAR-100, two or more. Their order is that of the model's probabilities.",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Publish again",
            description="Train and deploy even if the data set is the current one already.",
        ),
    },
)
def cifar_etl() -> None:
    @step_task(longest=timedelta(minutes=30))
    def deploy_foundation(ti: Any) -> dict[str, str]:
        """The bucket, and the role that SageMaker works with."""
        from include.scones import settings, stacks
        from include.scones.steps import Step

        return stacks.deploy_foundation(settings.load(), step=Step(str(ti.id))).outputs

    @task(execution_timeout=timedelta(hours=1))
    def extract(params: dict[str, Any]) -> dict[str, str]:
        """Bring the archive to `raw/` and check it."""
        from include.scones import settings
        from include.scones.cifar import source

        return source.fetch(params["archive"], params["sha256"], settings.load().bucket).as_dict()

    @task(execution_timeout=timedelta(minutes=30))
    def transform_and_load(archive: dict[str, str], params: dict[str, Any]) -> dict[str, Any]:
        """Write the images and manifests of a data set that is not there yet; returns its description."""
        from include.scones import settings
        from include.scones.cifar import dataset
        from include.scones.cifar.classes import to_labels
        from include.scones.cifar.source import Source

        return dataset.publish(Source(**archive), settings.load().bucket, to_labels(params["classes"]))

    @task(outlets=[DATASET])
    def announce(description: dict[str, Any], params: dict[str, Any], run_id: str) -> Any:
        """Make the data set the current one; the event is for what is new."""
        from include.scones import settings
        from include.scones.cifar import catalogue

        if not catalogue.make_current(settings.load().bucket, description, run_id) and not params["force"]:
            raise AirflowSkipException(f"the data set {description['digest']} is the current one already")
        yield Metadata(DATASET, extra=description)

    archive = extract()
    deploy_foundation() >> archive
    announce(transform_and_load(archive))


cifar_etl()
