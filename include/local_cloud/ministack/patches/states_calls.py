"""What a state machine calls of other services, it calls as its role, nested executions included."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from ...errors import AccessDeniedException
from ..patching import patch, require
from . import states_roles
from .iam_requests import UNKNOWN

# Operations of S3 and Lambda whose rights have other names, and those that need more than one right.
_NAMES = {
    "s3": {
        **{"ListObjectsV2": "ListBucket", "ListObjects": "ListBucket", "HeadBucket": "ListBucket"},
        **{"HeadObject": "GetObject", "ListBuckets": "ListAllMyBuckets"},
        **{"CopyObject": UNKNOWN, "DeleteObjects": UNKNOWN},
    },
    "lambda": {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"},
}
Integration = Callable[[str, Any], Any]


def install() -> None:
    from ministack.services import stepfunctions

    require(stepfunctions, "_AWS_SDK_SERVICE_MAP", "_SERVICE_DISPATCH", "_ExecutionError")
    patch(stepfunctions, "_invoke_aws_sdk_integration", _sdk, ("resource", "input_data"))
    for name in ("_invoke_nested_start_execution", "_invoke_nested_start_execution_sync"):
        patch(stepfunctions, name, _optimized("states", "StartExecution"), ("resource", "input_data"))
    for prefix, handler in stepfunctions._SERVICE_DISPATCH.items():
        service, operation = prefix.rsplit(":", 2)[1:]
        stepfunctions._SERVICE_DISPATCH[prefix] = _optimized(service, _pascal(operation))(handler)


def _sdk(invoke: Integration) -> Integration:
    from ministack.services import stepfunctions

    @functools.wraps(invoke)
    def invoke_allowed(resource: str, given: Any) -> Any:
        service, operation = [*resource.partition("aws-sdk:")[2].split(":"), ""][:2]
        service, operation = service.lower(), operation.partition(".")[0]
        key = stepfunctions._AWS_SDK_SERVICE_MAP.get(service, {}).get("service_key", service)
        prefix = stepfunctions._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
        _require(key, _pascal(operation), given, f"{prefix}.{prefix}Exception")
        return invoke(resource, given)

    return invoke_allowed


def _optimized(service: str, operation: str) -> Callable[[Integration], Integration]:
    def with_role(invoke: Integration) -> Integration:
        @functools.wraps(invoke)
        def invoke_allowed(resource: str, given: Any) -> Any:
            _require(service, operation, given, f"{service.upper()}.AccessDeniedException")
            return invoke(resource, given)

        return invoke_allowed

    return with_role


def _require(service: str, operation: str, given: Any, error_name: str) -> None:
    """Raises MiniStack's `_ExecutionError` for what the state machine's role may not do."""
    from ministack.core.iam_actions import SERVICE_TO_IAM_NAMESPACE, extract_resource_arn
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import stepfunctions

    role = states_roles.session()
    if role is None:
        return
    parameters = _parameters(given)
    path = _path(service, parameters)
    headers = {"x-amz-target": f".{operation}"}
    arn = extract_resource_arn(
        service, "POST", path, headers, json.dumps(parameters).encode(), parameters, get_region(), get_account_id()
    )
    namespace = SERVICE_TO_IAM_NAMESPACE.get(service, service)
    try:
        role.at(service).require(f"{namespace}:{_NAMES.get(service, {}).get(operation, operation)}", arn)
    except AccessDeniedException as error:
        raise stepfunctions._ExecutionError(error_name, error.message) from error


def _parameters(given: Any) -> dict[str, Any]:
    """A task's input with its members spelled as Step Functions spells them, and as the services do."""
    members = given if isinstance(given, dict) else {}
    return {name[:1].lower() + name[1:]: value for name, value in members.items()} | members


def _path(service: str, parameters: dict[str, Any]) -> str:
    if service == "s3":
        return "/".join(["", *(str(parameters[name]) for name in ("Bucket", "Key") if name in parameters)])
    return f"/functions/{parameters.get('FunctionName', '')}" if service == "lambda" else "/"


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]
