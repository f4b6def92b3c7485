"""A person's approval, where the run's param `approval` asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context, Param

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

    Nobody is asked unless the run's param `approval` is true. An answer that does not come in time fails the task.
    """

    def __init__(self, **kwargs: Any) -> None:
        # Not tried again: a second question would not be answered either.
        super().__init__(response_timeout=PATIENCE, retries=0, **kwargs)

    def execute(self, context: Context) -> Any:
        if not context["params"]["approval"]:
            self.log.info("no approval is asked for")
            return None
        return super().execute(context)
