"""SageMaker operators that a retry cannot make start or create anything twice."""

from __future__ import annotations

import datetime
from typing import Any, NoReturn

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
    SageMakerTrainingOperator,
)
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from botocore.exceptions import BotoCoreError, ClientError

from include.operators.links import EndpointLink, TrainingJobLink, TrainingLogLink, persist
from include.operators.stopping import TrainingTrigger, stopped_by_users
from include.scones.aws.missing import is_missing
from include.scones.errors import UnfinishedError
from include.scones.log_groups import TRAINING_JOBS
from include.scones.settings import MAX_BAKE_SECONDS, bake_seconds

BAKE_SECONDS = Param(
    bake_seconds(),
    type="integer",
    minimum=0,
    maximum=MAX_BAKE_SECONDS,
    title="Baking time in seconds",
    description=(
        "How long the endpoint's alarms are watched after each step of the traffic; one that is raised meanwhile puts"
        " the former model back. With several instances the first step is a canary of one."
    ),
)


class TrainingOperator(SageMakerTrainingOperator):
    """Starts the training job of its config once, waits for it deferred, and prints its log when it has ended.

    A job that failed or was stopped is not started again, since nothing of it has changed.
    """

    operator_extra_links = (TrainingJobLink(), TrainingLogLink())

    def __init__(self, *, max_ingestion_time: int, **kwargs: Any) -> None:
        super().__init__(
            deferrable=True, print_log=False, check_if_job_exists=False, max_ingestion_time=max_ingestion_time, **kwargs
        )
        self.longest = max_ingestion_time

    def execute(self, context: Context) -> dict[str, Any]:
        name = self.config["TrainingJobName"]
        for link in (TrainingJobLink, TrainingLogLink):
            persist(link, context, self, job_name=name)

        def stop() -> None:
            self.hook.conn.stop_training_job(TrainingJobName=name)

        status = self._begun(name)["TrainingJobStatus"]
        if status in self.hook.non_terminal_states:
            with stopped_by_users(context, stop, TrainingTrigger, self.longest):
                self.defer(
                    trigger=TrainingTrigger(
                        job_name=name,
                        job_type="Training",
                        waiter_delay=self.check_interval,
                        waiter_max_attempts=self.max_attempts,
                        aws_conn_id=self.aws_conn_id,
                        region_name=self.region_name,
                        verify=self.verify,
                        botocore_config=self.botocore_config,
                    ),
                    method_name="execute_complete",
                )
        return self._ended(name)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._ended(self.config["TrainingJobName"])

    def _begun(self, name: str) -> dict[str, Any]:
        """The job of this name, which is created where there is none."""
        try:
            job: dict[str, Any] = self.hook.describe_training_job(name)
        except ClientError as error:
            if not is_missing(error):
                raise
            self.preprocess_config()
            self.hook.create_training_job(self.config, wait_for_completion=False, print_log=False)
            job = self.hook.describe_training_job(name)
        else:
            self.log.info("Training job %s exists already: it is %s", name, job["TrainingJobStatus"])
        return job

    def _ended(self, name: str) -> dict[str, Any]:
        """The description of a job that was completed.

        Raises:
            UnfinishedError: it still runs.
            AirflowFailException: it failed or was stopped.
        """
        result: dict[str, Any] = self.serialize_result(name)
        status = result["Training"]["TrainingJobStatus"]
        if status in self.hook.non_terminal_states:
            raise UnfinishedError(f"training job {name} is still {status}: retry to wait on")
        self._print_log(name)
        if status != "Completed":
            reason = result["Training"].get("FailureReason", "no reason given")
            raise AirflowFailException(f"training job {name} is {status}: {reason}. Trigger a new run to train again")
        return result

    def _print_log(self, name: str) -> None:
        """At best effort: a job that ended before it wrote anything has no log."""
        logs = AwsLogsHook(**self._hook_parameters)
        try:
            streams = logs.conn.describe_log_streams(logGroupName=TRAINING_JOBS, logStreamNamePrefix=f"{name}/")
            for stream in streams["logStreams"]:
                for event in logs.get_log_events(TRAINING_JOBS, stream["logStreamName"]):
                    self.log.info("%s", event["message"])
        except (BotoCoreError, ClientError) as error:
            self.log.warning("The log of training job %s cannot be read: %s", name, error)


class ModelOperator(SageMakerModelOperator):
    """Creates the model of its config, or finds the one that an earlier attempt created."""

    def execute(self, context: Context) -> dict[str, Any]:
        name = self.config["ModelName"]
        try:
            self.hook.describe_model(name)
        except ClientError as error:
            if not is_missing(error):
                raise
            super().execute(context)
        return {"ModelName": name}


class EndpointConfigOperator(SageMakerEndpointConfigOperator):
    """Creates the endpoint config of its config, or finds the one that an earlier attempt created."""

    def execute(self, context: Context) -> dict[str, Any]:
        name = self.config["EndpointConfigName"]
        try:
            self.hook.describe_endpoint_config(name)
        except ClientError as error:
            if not is_missing(error):
                raise
            super().execute(context)
        return {"EndpointConfigName": name}


class EndpointOperator(SageMakerEndpointOperator):
    """Creates or updates the endpoint, and fails unless the endpoint config it was given serves at the end."""

    operator_extra_links = (EndpointLink(),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(deferrable=True, **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        persist(EndpointLink, context, self, name=self.config["EndpointName"])
        return self._deploy(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._served(self.config["EndpointName"])

    def deploy_after(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Another deployment has ended."""
        return self._deploy(context)

    def _deploy(self, context: Context) -> dict[str, Any]:
        name, wanted = self.config["EndpointName"], self.config["EndpointConfigName"]
        current = self._described(name)
        status = current.get("EndpointStatus")
        if status in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
            self.log.info("Endpoint %s is %s: waiting for it.", name, status)
            coming = current.get("PendingDeploymentSummary", current)["EndpointConfigName"]
            self._wait(name, "execute_complete" if coming == wanted else "deploy_after")
        if status == "Failed":
            self.log.info("Endpoint %s never came into service: deleting it first.", name)
            self.hook.conn.delete_endpoint(EndpointName=name)
            self.hook.get_waiter("endpoint_deleted").wait(EndpointName=name)
        elif current.get("EndpointConfigName") == wanted:
            return self._served(name)
        try:
            super().execute(context)
        except TaskDeferred:
            self._wait(name)  # for as long as the deployment may take, which the provider's trigger does not
        return self._served(name)

    def _described(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.hook.describe_endpoint(name)
        except ClientError as error:
            if not is_missing(error):
                raise
            return {}
        return found

    def _served(self, name: str) -> dict[str, Any]:
        """Raises `AirflowFailException` after a roll back: the same deployment would end the same."""
        endpoint = self.hook.describe_endpoint(name)
        status, serving = endpoint["EndpointStatus"], endpoint.get("EndpointConfigName")
        if status == "InService" and serving == self.config["EndpointConfigName"]:
            return {"EndpointName": name, "EndpointConfigName": serving}
        told = (
            f"endpoint {name} is {status} with {serving}, not InService with {self.config['EndpointConfigName']}: "
            f"{endpoint.get('FailureReason', 'no reason given')}"
        )
        raise AirflowFailException(told) if status == "InService" else RuntimeError(told)

    def _wait(self, name: str, method: str = "execute_complete") -> NoReturn:
        self.defer(
            trigger=SageMakerTrigger(
                job_name=name,
                job_type="endpoint",
                waiter_delay=self.check_interval,
                waiter_max_attempts=self.max_ingestion_time // self.check_interval,
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
            ),
            method_name=method,
            timeout=datetime.timedelta(seconds=self.max_ingestion_time),
        )
