"""Which failed tasks are tried again: those whose error may pass; all others fail at once, with the step to take."""

from __future__ import annotations

from typing import Any

from airflow.sdk import RetryDecision, RetryPolicy


class FinalErrorsFail(RetryPolicy):
    """Leaves the task's retries to the errors that may pass."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        from include.scones.aws.failures import is_final

        if is_final(exception):
            return RetryDecision.fail(f"another try would end the same: {exception}")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        return {}
