"""Starts a Step Functions execution once and waits, in the triggerer alone, until it has ended in whatever way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.links.step_function import StateMachineExecutionsDetailsLink
from airflow.providers.amazon.aws.operators.step_function import StepFunctionStartExecutionOperator
from airflow.providers.amazon.aws.triggers.step_function import StepFunctionsExecutionCompleteTrigger
from airflow.sdk import Context
from airflow.sdk.bases.xcom import BaseXCom
from airflow.triggers.base import TaskSuccessEvent, TriggerEvent
from botocore.exceptions import ClientError

from include.operators.links import persist
from include.operators.stopping import REASON, StoppingTrigger, stopped_by_users
from include.scones.inference import executions


class ExecutionEndedTrigger(StoppingTrigger, StepFunctionsExecutionCompleteTrigger):
    """Ends the deferred task once the execution's status is terminal; what follows judges the status.

    The provider's own trigger takes FAILED for an error and does not know TIMED_OUT.
    """

    async def run(self) -> AsyncIterator[TriggerEvent]:
        async with await self.hook().get_async_conn() as client:
            while True:
                execution = await client.describe_execution(executionArn=self.return_value)
                if execution["status"] in executions.TERMINAL:
                    break
                await asyncio.sleep(self.waiter_delay)
        self.log.info("Execution %s is %s", self.return_value, execution["status"])
        yield TaskSuccessEvent()

    async def stop(self, client: Any) -> None:
        await client.stop_execution(executionArn=self.return_value, cause=REASON)


class ExecutionOperator(StepFunctionStartExecutionOperator):
    """Starts the execution of this name and awaits its end; on a retry, takes up the one that is there unless it broke.

    Args:
        poll_interval: seconds between two looks at the execution.
        longest: seconds after which the wait, not the execution, is given up.
    """

    def __init__(self, *, poll_interval: int = 1, longest: int = 600, **kwargs: Any) -> None:
        super().__init__(deferrable=False, waiter_delay=poll_interval, **kwargs)
        self.longest = longest

    def execute(self, context: Context) -> None:
        arn = self._start(context)
        # Pushed here: Airflow 3.3.2 encodes what a trigger's event pushes twice.
        context["ti"].xcom_push(key=BaseXCom.XCOM_RETURN_KEY, value=arn)

        def stop() -> None:
            self.hook.conn.stop_execution(executionArn=arn, cause=REASON)

        with stopped_by_users(context, stop, ExecutionEndedTrigger, self.longest):
            self.defer(
                trigger=ExecutionEndedTrigger(
                    execution_arn=arn,
                    waiter_delay=self.waiter_delay,
                    aws_conn_id=self.aws_conn_id,
                    region_name=self.region_name,
                    verify=self.verify,
                    botocore_config=self.botocore_config,
                ),
                method_name="execute_complete",
            )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Nothing is left to do: the event ends the task, and `airflow dags test` alone comes here after it."""

    def _start(self, context: Context) -> str:
        try:
            return str(super().execute(context))
        except ClientError as error:
            taken = error.response["Error"]["Code"] == "ExecutionAlreadyExists"
            if not taken or not self.name or not isinstance(self.state_machine_input, dict):
                raise
            arn = executions.start_execution(
                self.state_machine_arn, self.name, self.state_machine_input, self.hook.conn
            )
        self.log.info("An execution of that name exists already: taking %s", arn)
        persist(StateMachineExecutionsDetailsLink, context, self, execution_arn=arn)
        return arn
