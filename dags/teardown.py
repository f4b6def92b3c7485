"""
### Delete what the project made

Lists every resource of the project with the reason why it counts as the project's, and deletes nothing unless
`dry_run` is off and the project's name is typed into `confirm`. What bears the name or the tag alone stays, and each
resource is looked at again right before it is deleted.

| scope | deletes |
| --- | --- |
| `endpoint` | the endpoint, which costs money while it exists |
| `all_but_data` | also endpoint configs, models, the stacks with all in them, logs; running training jobs are stopped |
| `everything` | also the bucket with all data, in every version |

Nothing is deleted while another DAG of the project runs, the reports' excepted, and what starts during a deletion waits
for it. Run it again after a failure: it goes on with what is left. The log group `/aws/sagemaker/TrainingJobs` stays,
without the project's streams: all training jobs of an account share it. Ended training jobs stay, for SageMaker keeps
them.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from include.operators.defaults import DAG_ARGUMENTS
from include.operators.run_types import BY_HAND
from include.operators.steps import step_task

log = logging.getLogger(__name__)


@dag(
    **DAG_ARGUMENTS,
    schedule=None,
    allowed_run_types=BY_HAND,
    max_active_runs=1,
    tags=["scones", "cleanup"],
    doc_md=__doc__,
    dagrun_timeout=timedelta(hours=6),
    params={
        "scope": Param(
            "endpoint", type="string", enum=["endpoint", "all_but_data", "everything"], title="What to delete"
        ),
        "dry_run": Param(True, type="boolean", title="Dry run", description="Only list what would be deleted."),
        "confirm": Param(
            None,
            type=["null", "string"],
            title="Project's name",
            description="Typed in full, it allows the deletion. Nothing is needed for a dry run.",
        ),
    },
)
def teardown() -> None:
    @task
    def list_resources(params: dict[str, Any]) -> list[dict[str, str]]:
        """Everything that the scope covers, in the order of deletion."""
        from include.scones import settings
        from include.scones.teardown.plan import plan

        resources = plan(settings.load(), params["scope"])
        for resource in resources:
            log.info("%s %s: %s", resource.kind, resource.name, resource.why)
        log.info("%s resources", len(resources))
        return [resource.as_dict() for resource in resources]

    @task.short_circuit
    def confirm(params: dict[str, Any]) -> bool:
        """Ends the run here if it is a dry run; fails it if the project's name was not typed."""
        from include.scones import settings
        from include.scones.teardown.plan import check_confirmation

        if params["dry_run"]:
            return False
        check_confirmation(settings.load(), params["confirm"] or "")
        return True

    @step_task(longest=timedelta(hours=5))
    def delete(resources: list[dict[str, str]], ti: Any) -> None:
        """Deletes what is listed and still there; refuses to begin while another DAG of the project runs."""
        from include.scones import settings
        from include.scones.steps import Step
        from include.scones.teardown.plan import execute
        from include.scones.teardown.resources import Resource

        execute(settings.load(), [Resource(**resource) for resource in resources], Step(str(ti.id)))

    @task
    def verify(params: dict[str, Any]) -> None:
        """Fails when anything of the scope is left."""
        from include.scones import settings
        from include.scones.teardown.plan import verify

        verify(settings.load(), params["scope"])

    resources = list_resources()
    deleted = delete(resources)
    resources >> confirm() >> deleted >> verify()


teardown()
