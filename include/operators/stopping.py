"""Ends what a task started when a user ends the task: marks it, or clears it, while it runs or is deferred.

A worker or triggerer that is shut down, restarted or lost ends nothing, for another takes the task up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
from airflow.providers.amazon.aws.triggers.batch import BatchJobTrigger
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow.sdk import TaskInstanceState
from airflow.sdk.exceptions import AirflowException, TaskDeferred
from asgiref.sync import sync_to_async

REASON = "its task in Airflow was ended by a user"
# Kept here while they run, for the event loop itself holds on to none.
_ending: set[asyncio.Future[None]] = set()


def state_of(ti: Any) -> str | None:
    """The state that Airflow has the task in by now."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    # The triggerer knows a task instance by its names alone.
    states = RuntimeTaskInstance.get_task_states(
        dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
    )
    return next(iter(states.get(ti.run_id, {}).values()), None)


@contextmanager
def stopped_by_users(
    context: Any, stop: Callable[[], object], trigger: type[AwsBaseWaiterTrigger], longest: float
) -> Iterator[None]:
    """Have the deferral inside wait with `trigger`, for `longest` seconds at most; not at all in a task that was ended.

    `BaseOperator.on_kill` could not tell a user from a worker that is shut down.

    Raises:
        AirflowException: a user ended the task meanwhile; what it had started is stopped.
    """
    try:
        yield
    except TaskDeferred as deferred:
        if state_of(context["ti"]) != TaskInstanceState.RUNNING:
            stop()
            raise AirflowException(f"what the task started is stopped: {REASON}") from None
        deferred.trigger = trigger(**deferred.trigger.serialize()[1])
        deferred.timeout = timedelta(seconds=longest)
        raise


class StoppingTrigger(AwsBaseWaiterTrigger):
    """A trigger that calls `stop` when a user ends the deferred task; what it waits for says with which hook."""

    aws_hook_class = AwsBaseHook

    async def on_kill(self) -> None:
        # The triggerer cancels this as well at its next look, seconds later: what is begun goes on all the same.
        ending = asyncio.ensure_future(self._end())
        _ending.add(ending)
        ending.add_done_callback(_ending.discard)
        await asyncio.shield(ending)

    async def _end(self) -> None:
        # A triggerer whose triggers were given to another one is told so in the same way.
        if await sync_to_async(state_of)(self.task_instance) == TaskInstanceState.DEFERRED:
            return
        async with await self.hook().get_async_conn() as client:
            await self.stop(client)
        self.log.info("%s is stopped: %s", self.return_value, REASON)

    async def stop(self, client: Any) -> None:
        raise NotImplementedError


class TrainingTrigger(StoppingTrigger, SageMakerTrigger):
    """Waits for a training job."""

    async def stop(self, client: Any) -> None:
        await client.stop_training_job(TrainingJobName=self.job_name)


class JobTrigger(StoppingTrigger, BatchJobTrigger):
    """Waits for a job of AWS Batch, with all children of an array."""

    async def stop(self, client: Any) -> None:
        await client.terminate_job(jobId=self.return_value, reason=REASON)
