"""Tells the project's SNS topic what went wrong in Airflow: failed DAG runs."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Generator
from typing import Any

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import conf

from include.operators.connection import connection_id

log = logging.getLogger(__name__)

SUBJECT_LENGTH = 100


class AlertNotifier(SnsNotifier):
    """Publishes to the topic of the inference stack, which is looked up when there is something to say.

    Before that stack is deployed there is nobody to tell: the message goes to the log alone.
    """

    def __init__(self, *, subject: str, message: str, **kwargs: Any) -> None:
        super().__init__(target_arn="", subject=subject, message=message, **kwargs)

    # Rendering replaces the templates, and one notifier serves all runs of all DAGs: each message has a copy.
    def __call__(self, *args: Any) -> None:
        super(AlertNotifier, copy.copy(self)).__call__(*args)

    def __await__(self) -> Generator[Any, Any, Any]:
        return super(AlertNotifier, copy.copy(self)).__await__()

    def notify(self, context: Any) -> None:
        log.warning("%s: %s", self.subject, self.message)
        self.subject = (self.subject or "")[:SUBJECT_LENGTH]
        self.target_arn = self._topic()
        if self.target_arn:
            self.aws_conn_id = connection_id()
            super().notify(context)

    async def async_notify(self, context: Any) -> None:
        await asyncio.to_thread(self.notify, context)

    def _topic(self) -> str:
        from include.scones import settings, stacks
        from include.scones.errors import StackError

        try:
            return stacks.stack_outputs(settings.load().inference_stack)["AlertTopicArn"]
        except (StackError, KeyError) as error:
            log.warning("no topic to tell: %s", error)
            return ""


def run_failed() -> AlertNotifier:
    """The `on_failure_callback` of every DAG."""
    ui = conf.get("api", "base_url", fallback="http://localhost:8080")
    return AlertNotifier(
        subject="{{ dag.dag_id }} failed",
        message=(
            "The run {{ run_id }} of the DAG {{ dag.dag_id }} failed. "
            f"See {ui}/dags/{{{{ dag.dag_id }}}}/runs/{{{{ run_id }}}}"
        ),
    )
