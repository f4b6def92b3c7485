"""Starts a Step Functions execution once and waits, in the triggerer alone, until it has ended in whatever way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.step_function import StepFunctionHook
from airflow.providers.amazon.aws.operators.step_function import StepFunctionStartExecutionOperator
from airflow.sdk import Context
from airflow.sdk.bases.xcom import BaseXCom
from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent
from botocore.exceptions import ClientError

from include.scones.inference import executions


class ExecutionEndedTrigger(BaseTrigger):
    """Ends the deferred task once the execution's status is terminal; what follows judges the status.

    The provider's own trigger takes FAILED for an error and does not know TIMED_OUT.
    """

    def __init__(
        self, execution_arn: str, poll_interval: float, aws_conn_id: str | None, region_name: str | None
    ) -> None:
        super().__init__()
        self.execution_arn = execution_arn
        self.poll_interval = poll_interval
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "execution_arn": self.execution_arn,
                "poll_interval": self.poll_interval,
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        hook = StepFunctionHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
        async with await hook.get_async_conn() as client:
            while True:
                execution = await client.describe_execution(executionArn=self.execution_arn)
                if execution["status"] in executions.TERMINAL:
                    break
                await asyncio.sleep(self.poll_interval)
        self.log.info("Execution %s is %s", self.execution_arn, execution["status"])
        yield TaskSuccessEvent()


class ExecutionOperator(StepFunctionStartExecutionOperator):
    """Starts the execution of this name and awaits its end; on a retry, takes up the one that is there unless it broke.

    Args:
        poll_interval: seconds between two looks at the execution.
        longest: seconds after which the wait, not the execution, is given up.
    """

    def __init__(self, *, poll_interval: float = 1, longest: int = 600, **kwargs: Any) -> None:
        super().__init__(deferrable=False, **kwargs)
        self.poll_interval = poll_interval
        self.longest = longest

    def execute(self, context: Context) -> None:
        try:
            arn = super().execute(context)
        except ClientError as error:
            taken = error.response["Error"]["Code"] == "ExecutionAlreadyExists"
            if not taken or not self.name or not isinstance(self.state_machine_input, dict):
                raise
            arn = executions.start_execution(
                self.state_machine_arn, self.name, self.state_machine_input, self.hook.conn
            )
            self.log.info("An execution of that name exists already: taking %s", arn)
        # Pushed here: Airflow 3.3.2 encodes what a trigger's event pushes twice.
        context["ti"].xcom_push(key=BaseXCom.XCOM_RETURN_KEY, value=arn)
        self.defer(
            trigger=ExecutionEndedTrigger(arn, self.poll_interval, self.aws_conn_id, self.region_name),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.longest),
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        raise RuntimeError(f"the wait for an execution came back with {json.dumps(event)} instead of ending the task")
