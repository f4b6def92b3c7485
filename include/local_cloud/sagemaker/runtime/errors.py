"""What the runtime API answers when an invocation fails: SageMaker's codes, and its words where they were seen."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ..endpoints.in_service import InServiceEndpoint

DIED = "The container primary ended without an answer. See its logs in Amazon CloudWatch."
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. "
    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


class InvocationRefused(Exception):
    """An error answer of the runtime API."""

    def __init__(self, status: int, code: str | None, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.members = {"Message": message, **members}


def invalid(message: str) -> InvocationRefused:
    return InvocationRefused(400, "ValidationError", message)


def model_error(context: Context, endpoint: InServiceEndpoint, status: int, message: str) -> InvocationRefused:
    """The container failed; `status` is what it answered, 0 where it did not."""
    side = "client" if 400 <= status < 500 else "server"
    region, account, group = context.region, context.account, endpoint.log_group
    return InvocationRefused(
        424,
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{message}". See '
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} "
        f"in account {account} for more information.",
        ErrorCode="CLIENT_ERROR_FROM_MODEL" if side == "client" else "INTERNAL_FAILURE_FROM_MODEL",
        LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
        OriginalMessage=message,
        OriginalStatusCode=status,
    )
