"""
### Classify every image below an S3 folder

A function lists the folder into shards, AWS Batch runs a job with one child a shard, and each child classifies its
images through the endpoint. Whatever is stopped or killed meanwhile, every image is in the results once: as JSON Lines
and Parquet under `<output>/results/`, with its class and probabilities, accepted or refused, or why it has none.

Images are the objects named `.png`, `.jpg` or `.jpeg`; others and empty ones are counted and left out. The run fails
when too large a share of the images could not be classified. The endpoint must be in service, and on AWS the job's
container image must have been pushed once, with `make batch-image`, after the first run has made its registry.

Folder and output may name the run's date, as in `s3://bucket/in/{{ ds }}/`. With a schedule
(`SCONES_BATCH_SCHEDULE`), each date has its results under `batch/ds=YYYY-MM-DD/`, and past dates can be backfilled: a
date that is run again gives the same, in the place of what was there. `summary.json`, written last, says that a run's
results are whole.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, task

from include.operators.batch import JobOperator
from include.operators.defaults import DAG_ARGUMENTS
from include.operators.run_types import BY_DATE
from include.operators.step_functions import ExecutionOperator
from include.operators.steps import step_task
from include.scones.settings import batch_folder, batch_schedule

log = logging.getLogger(__name__)

CRON = batch_schedule()


@dag(
    **DAG_ARGUMENTS,
    schedule=CronDataIntervalTimetable(CRON, timezone="UTC") if CRON else None,
    allowed_run_types=BY_DATE,
    max_active_runs=1,
    tags=["scones", "batch", "inference"],
    doc_md=__doc__,
    dagrun_timeout=timedelta(days=2),
    params={
        "folder": Param(
            batch_folder(),
            type=["null", "string"],
            pattern="^s3://[^/]+/",
            title="Folder",
            description="s3://bucket/folder/, with {{ ds }} for the run's date; the test images when left empty."
            " SCONES_BATCH_INPUTS says which folders a run may read.",
        ),
        "folder_owner": Param(
            None,
            type=["null", "string"],
            pattern="^[0-9]{12}$",
            title="Folder's account",
            description="The account that the folder's bucket belongs to; this one when left empty.",
        ),
        "output": Param(
            None,
            type=["null", "string"],
            pattern="^batch/.+",
            title="Output",
            description="A prefix in the project's bucket, with {{ ds }} for the run's date. When left empty:"
            " batch/ds={{ ds }}/ for a scheduled run, a backfill or a folder of a date, else one of the run's own.",
        ),
        "threshold": Param(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=1,
            title="Threshold",
            description="The least confidence accepted; the one in force when left empty.",
        ),
        "shard_size": Param(1000, type="integer", minimum=1, maximum=100_000, title="Images a shard"),
        "max_error_share": Param(0.01, type="number", minimum=0, maximum=1, title="Greatest share of errors"),
    },
)
def batch_inference() -> None:
    @step_task(multiple_outputs=True, longest=timedelta(minutes=30))
    def prepare(params: dict[str, Any], run_id: str, dag_run: Any, ti: Any, **context: Any) -> dict[str, Any]:
        """Create or update the stack, and write down what the run is to do."""
        from dataclasses import asdict
        from uuid import uuid4

        from include.scones import settings, stacks
        from include.scones.batch import inputs, partition, run, stack
        from include.scones.models.history import dataset_in_service
        from include.scones.run_names import run_name
        from include.scones.s3_layout import s3_uri, split_folder
        from include.scones.steps import Step

        here = settings.load()
        data = dataset_in_service(here)
        asked = params["folder"] or s3_uri(here.bucket, split_folder(data["prefix"], "test"))
        scheduled = dag_run.run_type in ("scheduled", "backfill")
        threshold = stacks.threshold_in_force(here) if params["threshold"] is None else params["threshold"]
        name = run_name(here.project, run_id, dag_run.run_after)
        owner = params["folder_owner"] or here.account
        date, attempt = context.get("ts", ""), uuid4().hex[:8]
        folder, output = partition.places(asked, params["output"] or "", context, scheduled=scheduled)
        inputs.check(here, folder)
        outputs = stack.deploy_batch(here, step=Step(str(ti.id))).outputs
        prepared = run.prepare(here, name, folder, output, threshold, data["classes"], owner, date, attempt)
        return {
            "job": asdict(prepared),
            "name": prepared.name,
            "queue": outputs["QueueArn"],
            "definition": outputs["DefinitionArn"],
            "state_machine": outputs["ListingArn"],
            "listing": run.listing(prepared, params["shard_size"]),
            "parameters": {"job": prepared.uri},
            "tags": {"Project": here.project},
        }

    @task
    def read_listing(job: dict[str, Any], execution: str) -> dict[str, int]:
        """How many images, shards and other objects there are."""
        from include.scones.batch import run
        from include.scones.batch.job import Job
        from include.scones.inference import executions

        return run.read_listing(Job(**job), executions.describe(execution))

    @task.branch
    def any_images(listed: dict[str, int]) -> str:
        return "array" if listed["images"] else "summarise"

    @task
    def array(listed: dict[str, int]) -> dict[str, int] | None:
        from include.scones.batch import run

        return run.array(listed["shards"])

    @task(trigger_rule="none_failed_min_one_success")
    def summarise(job: dict[str, Any], listed: dict[str, int], params: dict[str, Any]) -> dict[str, Any]:
        """Merge the counts, and judge the share of errors."""
        from include.scones.batch import run
        from include.scones.batch.job import Job

        summary = run.summarise(Job(**job), listed)
        log.info("%s", summary)
        if not listed["images"]:
            log.info("there are no images below s3://%s/%s", job["input_bucket"], job["input_prefix"])
        run.check(summary, params["max_error_share"])
        return summary

    prepared = prepare()
    list_images = ExecutionOperator(
        task_id="list_images",
        state_machine_arn=prepared["state_machine"],
        name=prepared["name"],
        state_machine_input=prepared["listing"],
        poll_interval=5,
        longest=6 * 3600,
    )
    listed = read_listing(prepared["job"], list_images.output)
    children = array(listed)
    classify = JobOperator(
        task_id="classify",
        job_name=prepared["name"],
        job_queue=prepared["queue"],
        job_definition=prepared["definition"],
        parameters=prepared["parameters"],
        tags=prepared["tags"],
        array_properties=children,
        poll_interval=5,
        max_retries=30_000,
    )
    summary = summarise(prepared["job"], listed)
    any_images(listed) >> [children, summary]
    classify >> summary


batch_inference()
