"""Why a request is not let in, in the words and the form that AWS has for it in the protocol of the request.

Codes and messages: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html; JSON services name them with `Exception` behind.
"""

from __future__ import annotations

import base64
import json
import os
import uuid
from typing import NamedTuple
from xml.sax.saxutils import escape

from starlette.responses import Response

Headers = dict[bytes, bytes]

_INVALID = "The security token included in the request is invalid."
_MISMATCH = "The request signature we calculated does not match the signature you provided. "
_CHECK = "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

_ONLY_V4 = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."


class Words(NamedTuple):
    """Status, code and message in one family of protocols; a message may have the place `{detail}`."""

    status: int
    code: str
    message: str


class Refused(Exception):
    """The request is not let in. `kind` is a row of the table below, `detail` completes its message."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


# By kind: S3's words, those of the services with the query protocol, and those of the services with JSON.
_TABLE: dict[str, tuple[Words, Words, Words]] = {
    "missing": (
        Words(403, "AccessDenied", "Access Denied"),
        Words(403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        Words(403, "MissingAuthenticationTokenException", "Missing Authentication Token"),
    ),
    "old signature": (
        Words(400, "InvalidRequest", _ONLY_V4),
        Words(403, "InvalidClientTokenId", _ONLY_V4),
        Words(403, "UnrecognizedClientException", _ONLY_V4),
    ),
    "malformed": (
        Words(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; {detail}."),
        Words(400, "IncompleteSignature", "{detail}."),
        Words(400, "IncompleteSignatureException", "{detail}."),
    ),
    "unknown key": (
        Words(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        Words(403, "InvalidClientTokenId", _INVALID),
        Words(403, "UnrecognizedClientException", _INVALID),
    ),
    "wrong token": (
        Words(400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
        Words(403, "InvalidClientTokenId", _INVALID),
        Words(403, "UnrecognizedClientException", _INVALID),
    ),
    "expired token": (
        Words(400, "ExpiredToken", "The provided token has expired."),
        Words(403, "ExpiredToken", "The security token included in the request is expired"),
        Words(403, "ExpiredTokenException", "The security token included in the request is expired"),
    ),
    "mismatch": (
        Words(403, "SignatureDoesNotMatch", _MISMATCH + "Check your key and signing method."),
        Words(403, "SignatureDoesNotMatch", _MISMATCH + _CHECK),
        Words(403, "InvalidSignatureException", _MISMATCH + _CHECK),
    ),
    "unsigned header": (
        Words(403, "AccessDenied", "There were headers present in the request which were not signed: {detail}"),
        Words(403, "SignatureDoesNotMatch", "'{detail}' must be a 'SignedHeader' in the AWS Authorization."),
        Words(403, "InvalidSignatureException", "'{detail}' must be a 'SignedHeader' in the AWS Authorization."),
    ),
    "skewed": (
        Words(
            403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
        ),
        Words(403, "SignatureDoesNotMatch", "{detail}"),
        Words(403, "InvalidSignatureException", "{detail}"),
    ),
    "expired address": (
        Words(403, "AccessDenied", "Request has expired"),
        Words(403, "SignatureDoesNotMatch", "Signature expired: {detail}"),
        Words(403, "InvalidSignatureException", "Signature expired: {detail}"),
    ),
    "wrong scope": (
        Words(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; {detail}."),
        Words(403, "SignatureDoesNotMatch", "{detail}."),
        Words(403, "InvalidSignatureException", "{detail}."),
    ),
    "wrong payload": (
        Words(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        Words(403, "SignatureDoesNotMatch", _MISMATCH + _CHECK),
        Words(403, "InvalidSignatureException", _MISMATCH + _CHECK),
    ),
    "cut short": (
        Words(400, "IncompleteBody", "The request's body ended before it was whole."),
        Words(400, "IncompleteSignature", "The request's body ended before it was whole."),
        Words(400, "SerializationException", "The request's body ended before it was whole."),
    ),
    "too large": (
        Words(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size of {detail} bytes"),
        Words(413, "RequestEntityTooLarge", "HTTP content length exceeded {detail} bytes."),
        Words(413, "RequestEntityTooLargeException", "HTTP content length exceeded {detail} bytes."),
    ),
    "nothing there": (
        Words(404, "NotFound", "{detail}"),
        Words(400, "ValidationError", "{detail}"),
        Words(400, "ValidationException", "{detail}"),
    ),
    "other account": (
        Words(403, "AccessDenied", "Access Denied"),
        Words(403, "AccessDenied", "{detail}"),
        Words(403, "AccessDeniedException", "{detail}"),
    ),
    "no such service": (
        Words(501, "NotImplemented", "{detail}"),
        Words(501, "NotImplemented", "{detail}"),
        Words(501, "NotImplementedException", "{detail}"),
    ),
}
# What AWS has with XML and paths, besides S3.
_REST_XML = ("cloudfront", "route53")


def response(error: Refused, service: str, headers: Headers) -> Response:
    """The refusal as the client's protocol has it; `service` is the one that the request was signed for, if any."""
    s3, query, other = _TABLE[error.kind]
    if headers.get(b"smithy-protocol") == b"rpc-v2-cbor":
        return _cbor(other, error.detail)
    if b"x-amz-target" in headers:  # JSON protocols have one status for what the client can mend
        return _json(other if other.status >= 500 else other._replace(status=400), error.detail)
    if service == "ec2":
        return _ec2_xml(query, error.detail)
    if service in _REST_XML or headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        return _query_xml(query, error.detail)
    if service in ("s3", ""):
        return _s3_xml(s3, error.detail)
    return _json(other, error.detail)


def _json(words: Words, detail: str) -> Response:
    content = {"__type": words.code, "message": words.message.format(detail=detail)}
    headers = {"x-amzn-errortype": words.code, "x-amzn-requestid": str(uuid.uuid4())}
    return Response(json.dumps(content), words.status, headers, "application/x-amz-json-1.1")


def _query_xml(words: Words, detail: str) -> Response:
    request_id = str(uuid.uuid4())
    message = escape(words.message.format(detail=detail))
    content = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{words.code}</Code><Message>{message}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Response(content, words.status, {"x-amzn-requestid": request_id}, "text/xml")


def _ec2_xml(words: Words, detail: str) -> Response:
    request_id = str(uuid.uuid4())
    message = escape(words.message.format(detail=detail))
    content = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{words.code}</Code><Message>{message}</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )
    return Response(content, words.status, {"x-amzn-requestid": request_id}, "text/xml")


def _s3_xml(words: Words, detail: str) -> Response:
    request_id, host_id = uuid.uuid4().hex[:16].upper(), base64.b64encode(os.urandom(48)).decode()
    message = escape(words.message.format(detail=detail))
    content = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{words.code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId>"
        f"<HostId>{host_id}</HostId></Error>"
    )
    headers = {"x-amz-request-id": request_id, "x-amz-id-2": host_id}
    return Response(content, words.status, headers, "application/xml")


def _cbor(words: Words, detail: str) -> Response:
    """A map of two texts: RFC 8949, major types 5 and 3."""
    content = {"__type": words.code, "message": words.message.format(detail=detail)}
    body = b"\xa2" + b"".join(_cbor_text(item) for pair in content.items() for item in pair)
    return Response(body, 400, {"smithy-protocol": "rpc-v2-cbor"}, "application/cbor")


def _cbor_text(text: str) -> bytes:
    encoded = text.encode()
    return b"\x79" + len(encoded).to_bytes(2, "big") + encoded
