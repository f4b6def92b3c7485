"""Requests signed by hand: to be changed afterwards, or in chunks and with trailers, as no SDK sends them here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib

import httpx
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.conftest import REGION, Cloud

EMPTY = hashlib.sha256(b"").hexdigest()


def credentials(cloud: Cloud) -> Credentials:
    return Credentials(cloud.key["AWS_ACCESS_KEY_ID"], cloud.key["AWS_SECRET_ACCESS_KEY"])


class _Streaming(S3SigV4Auth):
    """Declares what it is told to, instead of the body's hash."""

    declared = ""

    def payload(self, request: AWSRequest) -> str:
        return self.declared


def chunked(cloud: Cloud, path: str, content: bytes, size: int, *, trailer: bool) -> tuple[str, dict[str, str], bytes]:
    """Address, headers and body of a PutObject in chunks of `size` bytes, with a CRC-32 behind them or without.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
    """
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(len(content))}
    if trailer:
        headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
    request = AWSRequest("PUT", cloud.url + path, headers)
    signer = _Streaming(credentials(cloud), "s3", REGION)
    signer.declared = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    signer.add_auth(request)
    time = request.context["timestamp"]
    scope = f"{time[:8]}/{REGION}/s3/aws4_request"
    previous = request.headers["Authorization"].rpartition("Signature=")[2]
    key = f"AWS4{credentials(cloud).secret_key}".encode()
    for part in (time[:8], REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")

    def sign(algorithm: str, what: str) -> str:
        text = f"{algorithm}\n{time}\n{scope}\n{previous}\n{what}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    body = b""
    for chunk in [*chunks, b""]:
        previous = sign("AWS4-HMAC-SHA256-PAYLOAD", f"{EMPTY}\n{hashlib.sha256(chunk).hexdigest()}")
        body += b"%x;chunk-signature=%b\r\n" % (len(chunk), previous.encode())
        body += chunk + b"\r\n" if chunk or not trailer else b""
    if trailer:
        checksum = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
        line = f"x-amz-checksum-crc32:{checksum}\n"
        signature = sign("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(line.encode()).hexdigest())
        body += f"{line.strip()}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()
    sent = dict(request.headers.items())
    return request.url, {name: value for name, value in sent.items() if name.lower() != "content-length"}, body


def signed(cloud: Cloud, method: str, path: str, body: bytes = b"", service: str = "s3", **headers: str) -> AWSRequest:
    request = AWSRequest(method, cloud.url + path, headers, body)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(credentials(cloud), service, REGION).add_auth(request)
    return request


def send(cloud: Cloud, request: AWSRequest, **changes: str) -> httpx.Response:
    headers = dict(request.headers.items()) | changes
    return httpx.request(request.method, request.url, headers=headers, content=request.data)
