"""AWS Batch's operator, made safe to retry: it takes up the job of its name that an earlier attempt submitted."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.links.batch import BatchJobDetailsLink
from airflow.providers.amazon.aws.operators.batch import BatchOperator
from airflow.sdk import Context

from include.operators.links import persist
from include.operators.stopping import JobTrigger, stopped_by_users


class JobOperator(BatchOperator):
    """Submits the job of this name once and waits for it in the triggerer; one that failed is submitted anew."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(deferrable=True, **kwargs)

    def execute(self, context: Context) -> str | None:
        with stopped_by_users(context, super().on_kill, JobTrigger, self.max_retries * self.poll_interval):
            job_id: str | None = super().execute(context)
        return job_id

    def on_kill(self) -> None:
        """Leaves the job alone: see `stopped_by_users`."""

    def submit_job(self, context: Context) -> None:
        pages = self.hook.conn.get_paginator("list_jobs").paginate(
            jobQueue=self.job_queue, filters=[{"name": "JOB_NAME", "values": [self.job_name]}]
        )
        for job in (job for page in pages for job in page["jobSummaryList"]):
            if job["jobName"] == self.job_name and job["status"] != self.hook.FAILURE_STATE:
                self.log.info("Job %s is there already as %s (%s)", self.job_name, job["jobId"], job["status"])
                self.job_id = job["jobId"]
                persist(BatchJobDetailsLink, context, self, job_id=job["jobId"])
                return
        super().submit_job(context)
