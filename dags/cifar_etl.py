"""
### From CIFAR-100 to training images

Brings the archive of the University of Toronto to S3, checks it, and writes the images of the chosen classes as PNG
files with `.lst` manifests, the form in which SageMaker's image classification reads them. Running it again changes
only what differs.

Publishes the asset `scones_dataset` with the counts, the classes and where the data came from.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Metadata, Param, dag, task

from include.operators.defaults import DAG_ARGUMENTS
from include.scones.settings import CLASS_NAMES, default_archive

DATASET = Asset("scones_dataset")
ARCHIVE, SHA256 = default_archive()


@dag(
    **DAG_ARGUMENTS,
    schedule=None,
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
            list(CLASS_NAMES),
            type="array",
            items={"type": "integer", "minimum": 0, "maximum": 99},
            minItems=2,
            uniqueItems=True,
            title="Classes",
            description="Fine labels of CIFAR-100; the first becomes label 0, the second label 1, and so on.",
        ),
    },
)
def cifar_etl() -> None:
    @task
    def deploy_foundation() -> dict[str, str]:
        """The bucket, and the role that SageMaker works with."""
        from include.scones import settings, stacks

        return stacks.deploy_foundation(settings.load()).outputs

    @task(execution_timeout=timedelta(hours=1))
    def extract(params: dict[str, Any]) -> dict[str, str]:
        """Bring the archive to `raw/` and check it."""
        from include.scones import settings
        from include.scones.cifar import source

        return source.fetch(params["archive"], params["sha256"], settings.load().bucket).as_dict()

    @task(outlets=[DATASET], execution_timeout=timedelta(minutes=30))
    def transform_and_load(archive: dict[str, str], params: dict[str, Any]) -> Any:
        """Write the images and manifests, and describe them."""
        from include.scones import settings
        from include.scones.cifar import dataset
        from include.scones.cifar.source import Source

        description = dataset.publish(Source(**archive), settings.load().bucket, params["classes"])
        yield Metadata(DATASET, extra=description)
        return description

    archive = extract()
    deploy_foundation() >> archive
    transform_and_load(archive)


cifar_etl()
