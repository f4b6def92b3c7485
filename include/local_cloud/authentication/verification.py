"""Lets a request in when a key that this cloud issued signed it, as it is, a moment ago."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

import botocore.session
from starlette.types import Receive, Scope

from . import payload
from .keys import AccessKey, KeyRing, is_expired
from .refusals import Refused
from .signature import UNSIGNED_PAYLOAD, Request, Signature, compute, parse, split_query

# Services that take a request signed up to 15 minutes from their clock; the others take 5.
_PATIENT = {"dynamodb", "ecr", "iam", "s3", "sns", "sqs", "sts"}
_HASH = b"x-amz-content-sha256"
_STREAMING = {payload.STREAMING_SIGNED, payload.STREAMING_SIGNED_TRAILER, payload.STREAMING_UNSIGNED_TRAILER}
_MAY_BE_UNSIGNED = {_HASH, b"x-amz-user-agent"}


class Caller(NamedTuple):
    """Who signed a request, for what, and its body."""

    key: AccessKey
    region: str
    service: str
    body: bytes


@cache
def regions() -> frozenset[str]:
    """Every region of every partition that botocore knows."""
    session = botocore.session.get_session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for service in ("ec2", "s3", "sts")
        for region in session.get_available_regions(service, partition_name=partition)
    )


def request_of(scope: Scope) -> Request:
    """What of a request is signed. A header that comes twice counts as one, its values joined by a comma."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = b"%b,%b" % (headers[name], value) if name in headers else value
    query = split_query(scope["query_string"]) if scope["query_string"] else []
    return Request(scope["method"].encode(), scope.get("raw_path") or scope["path"].encode(), query, headers)


async def verify(request: Request, receive: Receive, keys: KeyRing) -> Caller:
    """Find out who signed the request, and read its body. Raises `Refused`."""
    signature = parse(request)
    key = keys.find(signature.key_id)
    if key is None:
        raise Refused("unknown key")
    _check_session(key, signature)
    _check_scope(signature)
    _check_time(signature, datetime.now(UTC))
    _check_signed_headers(signature, request)
    declared = request.headers.get(_HASH)
    if signature.expires is not None and signature.service == "s3":
        declared = declared if _HASH in signature.signed_headers else UNSIGNED_PAYLOAD
    limit = payload.limit_of(signature.service)
    if declared is None:
        body = await payload.read(receive, limit)
        declared = hashlib.sha256(body).hexdigest().encode()
        _check_value(signature, key, request, declared)
    else:  # what is not signed by the key is not even read
        _check_value(signature, key, request, declared)
        body = await payload.read(receive, limit)
        _check_body(body, declared, signature, key)
    return Caller(key, signature.region, signature.service, body)


def _check_session(key: AccessKey, signature: Signature) -> None:
    if is_expired(key):
        raise Refused("expired token")
    if not hmac.compare_digest((key.token or "").encode(), (signature.token or "").encode()):
        raise Refused("wrong token")


def _check_scope(signature: Signature) -> None:
    if signature.region not in regions():
        raise Refused("wrong scope", f"Credential should be scoped to a valid region, not {signature.region[:40]!r}")
    if signature.date != signature.time[:8]:
        raise Refused("wrong scope", f"the date {signature.date[:40]!r} of the Credential is not that of X-Amz-Date")


def _check_time(signature: Signature, now: datetime) -> None:
    text = signature.time
    try:
        signed_at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused("malformed", f"X-Amz-Date must be like 20260131T235959Z, not {text[:40]!r}") from error
    window = timedelta(minutes=15 if signature.service in _PATIENT else 5)
    if signed_at > now + window:
        raise Refused(
            "skewed",
            f"Signature not yet current: {text} is still later than {_stamp(now + window)} ({_stamp(now)} + {window}.)",
        )
    if signature.expires is not None:
        if now > signed_at + timedelta(seconds=signature.expires):
            raise Refused("expired address", f"{text} is {signature.expires} s and more ago")
    elif signed_at < now - window:
        raise Refused(
            "skewed",
            f"Signature expired: {text} is now earlier than {_stamp(now - window)} ({_stamp(now)} - {window}.)",
        )


def _stamp(time: datetime) -> str:
    return f"{time:%Y%m%dT%H%M%SZ}"


def _check_signed_headers(signature: Signature, request: Request) -> None:
    """What decides about a request must be signed: its host, and every `x-amz-` header."""
    for name in request.headers:
        if name not in signature.signed_headers and (
            name == b"host" or (name.startswith(b"x-amz-") and name not in _MAY_BE_UNSIGNED)
        ):
            raise Refused("unsigned header", name.decode("latin-1"))


def _check_value(signature: Signature, key: AccessKey, request: Request, payload_hash: bytes) -> None:
    computed = compute(signature, key.secret, request, payload_hash)
    if not hmac.compare_digest(computed.encode(), signature.value.encode("latin-1")):
        raise Refused("mismatch")


def _check_body(body: bytes, declared: bytes, signature: Signature, key: AccessKey) -> None:
    if declared in _STREAMING:
        payload.check_chunks(body, declared, signature, key.secret)
    elif declared != UNSIGNED_PAYLOAD and not hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), declared):
        raise Refused("wrong payload")
