"""An execution works with a session of its state machine's role, which must allow the functions that it invokes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ...authentication.keys import KeyRing
from ...errors import AccessDeniedException
from ...permissions import Caller
from ..patching import patch, require

_session: ContextVar[Caller | None] = ContextVar("session", default=None)


def session() -> Caller | None:
    """Who the execution that is running acts as; None outside one, and without a role."""
    return _session.get()


def install(keys: KeyRing) -> None:
    from ministack.core.responses import get_region
    from ministack.services import stepfunctions

    def with_role(run: Callable[[str], None]) -> Callable[[str], None]:
        @functools.wraps(run)
        def run_with_role(arn: str) -> None:
            execution = stepfunctions._executions[arn]
            machine = stepfunctions._state_machines.get(execution["stateMachineArn"], {})
            if "roleArn" not in machine:
                run(arn)
                return
            with keys.lent(machine["roleArn"], execution["name"]) as key:
                token = _session.set(Caller(key.id, "states", get_region()))
                try:
                    run(arn)
                finally:  # a nested execution is followed by more of its caller
                    _session.reset(token)

        return run_with_role

    require(stepfunctions, "_executions", "_state_machines", "_ExecutionError")
    patch(stepfunctions, "_run_execution", with_role, ("exec_arn",))
    patch(stepfunctions, "_call_lambda", _allowed, ("func_ref", "event"))


def _allowed(call: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import stepfunctions

    @functools.wraps(call)
    def call_if_allowed(function: str, event: Any) -> Any:
        caller = _session.get()
        arn = function if function.startswith("arn:") else f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:"
        try:
            if caller is not None:
                caller.require("lambda:InvokeFunction", arn if arn == function else arn + function)
        except AccessDeniedException as error:
            cause = f"{error.message} (Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException)"
            raise stepfunctions._ExecutionError("Lambda.AWSLambdaException", cause) from error
        return call(function, event)

    return call_if_allowed
