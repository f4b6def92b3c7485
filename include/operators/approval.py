"""A person's approval, where the run's param `approval` asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.exceptions import HITLTimeoutError
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import AirflowFailException

PATIENCE = timedelta(days=1)
APPROVAL = Param(
    False,
    type="boolean",
    title="Ask for approval",
    description=(
        "Wait up to a day until somebody approves under Required Actions; when it is refused, the rest is skipped."
    ),
)


class OptionalApproval(ApprovalOperator):
    """Asks under Required Actions and waits; what follows is skipped when it is refused.

    Nobody is asked unless the run's param `approval` is true. An answer that does not come in time fails the task. One
    that comes before the scheduler has seen the question is lost in Airflow 3.3.2: the next attempt asks again.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(response_timeout=PATIENCE, **kwargs)

    def execute(self, context: Context) -> Any:
        if not context["params"]["approval"]:
            self.log.info("no approval is asked for")
            return None
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        try:
            return super().execute_complete(context, event)
        except HITLTimeoutError as error:
            raise AirflowFailException(f"nobody answered in {PATIENCE}: trigger a new run to be asked again") from error
