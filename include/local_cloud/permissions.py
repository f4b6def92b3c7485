"""IAM for this project's services: what a caller may do, and which role a service may use.

MiniStack judges; what it is asked is AWS's: an action on the ARN of each resource that a request names, `iam:PassRole`
for each role that it hands on, `sts:AssumeRole` by a role's trust policy.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from .account import ACCOUNT
from .authentication.keys import AccessKey
from .errors import AccessDeniedException, ImagePullError

_REPOSITORY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[^/]+/(?P<repository>[^:@]+)")


@dataclass(frozen=True)
class Caller:
    """Who signed a request with which access key, for which service and region."""

    key_id: str
    service: str
    region: str

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """For as long as the block runs, this is who asks MiniStack (see `asker`)."""
        token = _asker.set(self)
        try:
            yield
        finally:
            _asker.reset(token)

    def at(self, service: str) -> Caller:
        """The same caller of another service."""
        return Caller(self.key_id, service, self.region)

    def require(self, action: str, resource: str, **keys: Any) -> None:
        """The action is `<service>:<Operation>`, `keys` are condition keys. Raises `AccessDeniedException`."""
        from ministack.core.iam_actions import identity_denial_message
        from ministack.core.iam_evaluator import AuthError, enforce

        denied = enforce(self.key_id, action, self.service, self.region, resource, keys)
        if isinstance(denied, AuthError):
            raise AccessDeniedException(denied.message)
        if denied is not None:
            explicit = denied.decision == "Deny"
            raise AccessDeniedException(identity_denial_message(action, denied.principal_arn, resource, explicit))

    def require_all(self, operation: str, resources: list[str]) -> None:
        """The operation on each resource; on all there are where it names none. Raises `AccessDeniedException`."""
        for resource in resources or ["*"]:
            self.require(f"{self.service}:{operation}", resource)

    def pass_role(self, role_arn: str, principal: str) -> None:
        """`principal` is the service that gets the role. Raises `AccessDeniedException`."""
        self.require("iam:PassRole", role_arn, **{"iam:PassedToService": principal})


_asker: ContextVar[Caller | None] = ContextVar("asker", default=None)


def asker() -> Caller | None:
    """Who made the request that MiniStack is answering; None for what nobody asked for."""
    return _asker.get()


def pin_origin(scope: Scope) -> None:
    """Remember where the request comes from, for the conditions of policies."""
    from ministack.core.iam_evaluator import pin_request_origin

    pin_request_origin(*origin(scope))


def origin(scope: Mapping[str, Any]) -> tuple[str, bool]:
    """The client's address, and whether it counts as sent by TLS: on this machine nobody can listen in."""
    client, server = ((scope.get(end) or ("127.0.0.1",))[0] for end in ("client", "server"))
    return client, client == server or ipaddress.ip_address(client).is_loopback


def assumable(role_arn: str, principal: str) -> bool:
    """Whether the role is there and its trust policy lets the service, e.g. `lambda.amazonaws.com`, assume it."""
    from ministack.services import iam

    account, _, path = role_arn.removeprefix("arn:aws:iam::").partition(":role/")
    role = iam._roles.get_scoped(account, None, path.rpartition("/")[2])
    return (
        role is not None and role["Arn"] == role_arn and _trusts(role["AssumeRolePolicyDocument"], principal, account)
    )


def _trusts(document: str | dict[str, Any], principal: str, account: str) -> bool:
    """MiniStack's own judge of trust policies takes any service for the account's root user."""
    from ministack.core import iam_evaluator

    statements = (json.loads(document) if isinstance(document, str) else document).get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    for_it = [each for each in statements if iam_evaluator._service_principal_matches(each.get("Principal"), principal)]
    context = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn="*",
        region="",
        service_context={"aws:sourceaccount": account},
    )
    policy = iam_evaluator.parse_policy_document({"Statement": for_it})
    return bool(iam_evaluator.evaluate(context, [policy]).decision == "Allow")


def check_pull(image: str, role: AccessKey | None) -> None:
    """Raises `ImagePullError` unless the role's session may pull the image; other accounts' are not judged."""
    path = _REPOSITORY.match(image)
    if path is None or path["account"] != ACCOUNT:
        return
    if role is None:
        raise ImagePullError(f"no role pulls the image {image}: give the job an execution role")
    caller = Caller(role.id, "ecr", path["region"])
    repository = f"arn:aws:ecr:{path['region']}:{ACCOUNT}:repository/{path['repository']}"
    try:
        caller.require("ecr:GetAuthorizationToken", "*")
        for action in ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage"):
            caller.require(f"ecr:{action}", repository)
    except AccessDeniedException as error:
        raise ImagePullError(error.message) from error
