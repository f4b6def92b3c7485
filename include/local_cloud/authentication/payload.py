"""A request's body: read up to a limit, hashed on the way, and where it is signed in chunks, each chunk checked.

How: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, and sigv4-streaming-trailers.html beside it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from starlette.types import Receive

from .refusals import Refused
from .signature import Signature, key_of, scope_of

_MIB = 1 << 20
# Bytes that a request may have. AWS takes objects up to 5 GiB in one request; here a body is held in memory.
_LIMITS = {"s3": 1024 * _MIB, "lambda": 70_167_211}
_LIMIT = 25 * _MIB
STREAMING_SIGNED = b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_SIGNED_TRAILER = b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING_UNSIGNED_TRAILER = b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_EMPTY = hashlib.sha256(b"").hexdigest()


def limit_of(service: str) -> int:
    """The most bytes that a request's body may have."""
    return _LIMITS.get(service, _LIMIT)


async def read(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises `Refused` for one that is too long or does not come whole."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("cut short")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise Refused("too large", str(limit))
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


class _Chunk(NamedTuple):
    data: bytes
    signature: str
    end: int


def check_chunks(body: bytes, kind: bytes, signature: Signature, secret: str) -> None:
    """Check the signatures of a body's chunks, each chained to the one before. Raises `Refused`."""
    if kind == STREAMING_UNSIGNED_TRAILER:
        return
    key, previous, position = key_of(signature, secret), signature.value, 0
    while True:
        chunk = _chunk(body, position)
        content = f"{_EMPTY}\n{hashlib.sha256(chunk.data).hexdigest()}"
        previous = _chained(key, "AWS4-HMAC-SHA256-PAYLOAD", signature, previous, content)
        _compare(previous, chunk.signature)
        position = chunk.end
        if not chunk.data:
            break
    if kind == STREAMING_SIGNED_TRAILER:
        trailers, given = _trailers(body[position:])
        content = hashlib.sha256(trailers).hexdigest()
        _compare(_chained(key, "AWS4-HMAC-SHA256-TRAILER", signature, previous, content), given)


def _chained(key: bytes, algorithm: str, signature: Signature, previous: str, content: str) -> str:
    text = f"{algorithm}\n{signature.time}\n{scope_of(signature)}\n{previous}\n{content}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _chunk(body: bytes, position: int) -> _Chunk:
    """The chunk at `position`: a line `<size in hexadecimal>;chunk-signature=<signature>`, and a line of its bytes."""
    head_end = body.find(b"\r\n", position, position + 200)
    head, _, given = body[position:head_end].partition(b";chunk-signature=")
    try:
        size = int(head, 16)
    except ValueError:
        size = -1
    start = head_end + 2
    if head_end < 0 or size < 0 or start + size > len(body):
        raise Refused("cut short")
    end = start + size
    return _Chunk(body[start:end], given.decode("latin-1"), end + 2 if size else end)


def _trailers(rest: bytes) -> tuple[bytes, str]:
    """The trailing headers as they are signed, `name:value` and a newline each, and their signature."""
    lines = [line for line in rest.replace(b"\r\n", b"\n").split(b"\n") if line]
    mark = b"x-amz-trailer-signature:"
    given = next((line.removeprefix(mark) for line in lines if line.startswith(mark)), b"")
    return b"".join(line + b"\n" for line in lines if not line.startswith(mark)), given.decode("latin-1")


def _compare(computed: str, given: str) -> None:
    if not hmac.compare_digest(computed.encode(), given.encode("latin-1", "replace")):
        raise Refused("mismatch")
