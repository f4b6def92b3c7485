"""Signature Version 4 as it comes with a request: taken apart, and computed again.

How requests are signed: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html. S3 signs its path
as it was sent, every other service signs it encoded once more.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from .refusals import Headers, Refused

ALGORITHM = b"AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = b"UNSIGNED-PAYLOAD"
_IN_QUERY = (
    b"X-Amz-Algorithm",
    b"X-Amz-Credential",
    b"X-Amz-Date",
    b"X-Amz-SignedHeaders",
    b"X-Amz-Signature",
    b"X-Amz-Expires",
)
_OF_SIGNATURES = {name.lower() for name in (*_IN_QUERY, b"X-Amz-Security-Token")}
_OLD = {b"AWSAccessKeyId", b"Signature"}
_LONGEST = 604_800  # seconds, a week, that a signed address may live

Query = list[tuple[bytes, bytes]]


class Request(NamedTuple):
    """What of a request is signed; `query` has the names and values as they were sent."""

    method: bytes
    path: bytes
    query: Query
    headers: Headers


class Signature(NamedTuple):
    """What a request says of its signature; `expires`, in seconds, is there for signed addresses alone."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[bytes, ...]
    value: str
    time: str
    token: str | None
    expires: int | None


def split_query(text: bytes) -> Query:
    """The query's names and values, still encoded."""
    return [(name, value) for name, _, value in (part.partition(b"=") for part in text.split(b"&") if part)]


def parse(request: Request) -> Signature:
    """Raises `Refused` for a request without a signature, with two, or with an unusual one."""
    signing = {name: value for name, value in request.query if name.lower() in _OF_SIGNATURES}
    authorization = request.headers.get(b"authorization")
    if authorization is None:
        if not signing:
            raise Refused("old signature" if any(name in _OLD for name, _ in request.query) else "missing")
        return _of_address(request, signing)
    if signing:
        raise Refused("malformed", "only one of the Authorization header and the query may hold a signature")
    return _of_header(authorization, request.headers)


def _of_header(authorization: bytes, headers: Headers) -> Signature:
    algorithm, _, rest = authorization.partition(b" ")
    if algorithm != ALGORITHM:
        raise Refused("old signature")
    fields = dict(part.strip().partition(b"=")[::2] for part in rest.split(b","))
    for name in (b"Credential", b"SignedHeaders", b"Signature"):
        if not fields.get(name):
            raise Refused("malformed", f"Authorization header requires '{name.decode()}' parameter")
    if b"x-amz-date" not in headers:
        raise Refused("malformed", "Authorization header requires existence of an 'X-Amz-Date' header")
    return _signature(
        fields[b"Credential"],
        fields[b"SignedHeaders"],
        fields[b"Signature"],
        headers[b"x-amz-date"],
        headers.get(b"x-amz-security-token"),
        None,
    )


def _of_address(request: Request, signing: dict[bytes, bytes]) -> Signature:
    values = {name: unquote_to_bytes(value) for name, value in signing.items()}
    missing = [name.decode() for name in _IN_QUERY if not values.get(name)]
    if missing:
        raise Refused("malformed", f"the query lacks {', '.join(missing)}")
    names = [name for name, _ in request.query if name.lower() in _OF_SIGNATURES]
    if len(names) != len(signing) or {name.lower() for name in names} != {name.lower() for name in signing}:
        raise Refused("malformed", "a parameter of the signature stands twice in the query")
    if values[b"X-Amz-Algorithm"] != ALGORITHM:
        raise Refused("old signature")
    lifetime = values[b"X-Amz-Expires"]
    if not lifetime.isdigit() or len(lifetime) > 6 or not 1 <= int(lifetime) <= _LONGEST:
        raise Refused("malformed", f"X-Amz-Expires must be from 1 to {_LONGEST} seconds")
    return _signature(
        values[b"X-Amz-Credential"],
        values[b"X-Amz-SignedHeaders"],
        values[b"X-Amz-Signature"],
        values[b"X-Amz-Date"],
        values.get(b"X-Amz-Security-Token"),
        int(lifetime),
    )


def _signature(
    credential: bytes, signed: bytes, value: bytes, time: bytes, token: bytes | None, expires: int | None
) -> Signature:
    scope = _text(credential).split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise Refused(
            "malformed",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request",
        )
    key_id, date, region, service, _ = scope
    names, lent = tuple(signed.lower().split(b";")), None if token is None else _text(token)
    return Signature(key_id, date, region, service, names, _text(value), _text(time), lent, expires)


def compute(signature: Signature, secret: str, request: Request, payload_hash: bytes) -> str:
    """The signature that the request must have, in lower-case hexadecimal."""
    canonical = b"\n".join(
        (
            request.method,
            request.path if signature.service == "s3" else quote(request.path, safe="/-_.~").encode(),
            _canonical_query(request.query),
            _canonical_headers(signature.signed_headers, request.headers),
            b";".join(signature.signed_headers),
            payload_hash,
        )
    )
    head = f"AWS4-HMAC-SHA256\n{signature.time}\n{scope_of(signature)}\n"
    text = head + hashlib.sha256(canonical).hexdigest()
    return hmac.new(key_of(signature, secret), text.encode(), hashlib.sha256).hexdigest()


def scope_of(signature: Signature) -> str:
    return f"{signature.date}/{signature.region}/{signature.service}/aws4_request"


def key_of(signature: Signature, secret: str) -> bytes:
    """The key that signs for one day, region and service."""
    return _signing_key(secret, signature.date, signature.region, signature.service)


@lru_cache(maxsize=256)
def _signing_key(secret: str, *scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical_query(query: Query) -> bytes:
    pairs = [(_encoded(name), _encoded(value)) for name, value in query if name != b"X-Amz-Signature"]
    return b"&".join(name + b"=" + value for name, value in sorted(pairs))


def _encoded(part: bytes) -> bytes:
    return part if part.isalnum() else quote(unquote_to_bytes(part), safe="-_.~").encode()


def _canonical_headers(names: tuple[bytes, ...], headers: Headers) -> bytes:
    return b"".join(b"%b:%b\n" % (name, b" ".join(headers.get(name, b"").split())) for name in names)


def _text(value: bytes) -> str:
    return value.decode("latin-1")
