"""The smoke test of what has come into service: it passes and is announced, or what served before serves again."""

from __future__ import annotations

import datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import Asset, AssetAlias, Context
from airflow.sdk.exceptions import AirflowFailException

from include.operators.alerts import AlertNotifier

LONGEST = datetime.timedelta(hours=1)


def smoke_test_failed() -> AlertNotifier:
    return AlertNotifier(
        subject="{{ dag.dag_id }}: a model failed its smoke test", message="The run {{ run_id }}: {{ exception }}."
    )


class SmokeTestOperator(AwsBaseOperator[SageMakerHook]):
    """Accepts the model that was put into service, or gives the endpoint its former config back and fails.

    Args:
        deployed: the request that put it into service.
        former: the endpoint config that served before, if one did.
        dataset: what the model was trained on.
        accuracy: what its training job reported.
        training_job: the name of that job.
        alias: through which `outlet` is published, where another DAG owns it.
    """

    aws_hook_class = SageMakerHook
    template_fields = aws_template_fields("deployed", "former", "dataset", "accuracy", "training_job")

    def __init__(
        self,
        *,
        deployed: Any,
        former: Any,
        dataset: Any,
        accuracy: Any,
        training_job: Any,
        outlet: Asset,
        alias: AssetAlias | None = None,
        check_interval: int = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(outlets=[alias or outlet], on_failure_callback=smoke_test_failed(), **kwargs)
        self.deployed = deployed
        self.former = former
        self.dataset = dataset
        self.accuracy = accuracy
        self.training_job = training_job
        self.outlet = outlet
        self.alias = alias
        self.check_interval = check_interval

    def execute(self, context: Context) -> dict[str, Any]:
        from include.scones import settings
        from include.scones.aws.failures import is_final
        from include.scones.models import endpoint_check

        here, config, ti = settings.load(), self.deployed["EndpointConfigName"], context["ti"]
        try:
            result = endpoint_check.accept(
                here, self.dataset, self.accuracy, self.training_job, context["run_id"], config
            )
        except Exception as error:
            if not is_final(error) and ti.try_number <= ti.max_tries:
                raise
            raise AirflowFailException(f"{error}. {self._put_back(str(error))}") from error
        self._announce(context, result)
        return result

    def execute_complete(self, context: Context, failure: str, event: dict[str, Any] | None = None) -> None:
        from include.scones import settings
        from include.scones.models import rollout

        raise AirflowFailException(f"{failure}. {rollout.outcome(settings.load(), self.former)}")

    def _announce(self, context: Context, result: dict[str, Any]) -> None:
        events = context["outlet_events"]
        if self.alias is None:
            events[self.outlet].extra = result
        else:
            events[self.alias].add(self.outlet, extra=result)

    def _put_back(self, failure: str) -> str:
        """What becomes of the endpoint, unless it has to be waited for."""
        from include.scones import settings
        from include.scones.models import rollout

        here = settings.load()
        self.log.error("%s", failure)
        if told := rollout.put_back(here, self.deployed["EndpointConfigName"], self.former):
            return told
        self.log.warning("%s goes back to %s, which served before", here.endpoint, self.former)
        self.defer(
            trigger=SageMakerTrigger(
                job_name=here.endpoint,
                job_type="endpoint",
                waiter_delay=self.check_interval,
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
            ),
            method_name="execute_complete",
            kwargs={"failure": failure},
            timeout=LONGEST,
        )
