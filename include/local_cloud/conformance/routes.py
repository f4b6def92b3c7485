"""Which operation of which service a request asks for, by botocore's models and in any of AWS's protocols."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qs, parse_qsl

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel

from ..aws_json import service_model

# Services that sign by another name than botocore has for them.
_BY_SIGNATURE = {
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
_CBOR_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")
_PLACE = re.compile(r"\\{\w+(\\\+)?\\}")


class Asked(NamedTuple):
    """The parts of a request that say what it asks for; `service` is the one that it was signed for."""

    service: str
    method: str
    host: str
    path: str  # as sent, with its escapes
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes


class _Route(NamedTuple):
    model: OperationModel
    path: re.Pattern[str]
    query: dict[str, str]
    needed: frozenset[str]  # headers and members of the query without which it is another operation

    def fits(self, asked: Asked, path: str, query: dict[str, str]) -> bool:
        return (
            self.model.http["method"] == asked.method
            and self.path.fullmatch(path) is not None
            and all(query.get(name) == value for name, value in self.query.items())
            and self.needed <= {*query, *asked.headers}
        )

    @property
    def weight(self) -> tuple[int, int, int]:
        return len(self.query), len(self.needed), len(self.path.pattern)


def operation(asked: Asked) -> OperationModel | None:
    """The operation, or None for a request that is none of AWS's."""
    name = _BY_SIGNATURE.get(asked.service, asked.service)
    if name == "sagemaker" and asked.path.startswith("/endpoints/"):
        name = "sagemaker-runtime"
    try:
        service = service_model(name)
    except UnknownServiceError:
        return None
    by_name = _named(asked)
    if by_name is not None:
        return service.operation_model(by_name) if by_name in service.operation_names else None
    if not str(service.metadata["protocol"]).startswith("rest"):
        return None
    path, query = asked.path, dict(parse_qsl(asked.query, keep_blank_values=True))
    if (
        name == "s3"
        and not asked.host.startswith("s3")
        and asked.host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    ):
        path = f"/{asked.host.partition('.')[0]}{path}"
    fitting = [route for route in _routes(name) if route.fits(asked, path.rstrip("/") or "/", query)]
    return max(fitting, key=lambda route: route.weight).model if fitting else None


def _named(asked: Asked) -> str | None:
    """The operation that the request names itself, as in every protocol but REST's."""
    if found := _CBOR_PATH.fullmatch(asked.path):
        return found[1]
    if "x-amz-target" in asked.headers:
        return asked.headers["x-amz-target"].rpartition(".")[2]
    if asked.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(asked.body.decode("utf-8", "replace")).get("Action", [None])[0]
    return None


@cache
def _routes(name: str) -> list[_Route]:
    service = service_model(name)
    models = [service.operation_model(each) for each in service.operation_names]
    return [_route(model) for model in models if not model.deprecated]


def _route(model: OperationModel) -> _Route:
    path, _, query = model.http["requestUri"].partition("?")
    pattern = _PLACE.sub(lambda place: ".+" if place[1] else "[^/]+", re.escape(path.rstrip("/") or "/"))
    members = model.input_shape.members if model.input_shape else {}
    required = [members[each].serialization for each in model.input_shape.required_members] if members else []
    needed = {each["name"] for each in required if each.get("location") in ("header", "querystring")}
    literal = dict(parse_qsl(query, keep_blank_values=True))
    return _Route(
        model, re.compile(pattern), literal, frozenset(name.lower() if "-" in name else name for name in needed)
    )
