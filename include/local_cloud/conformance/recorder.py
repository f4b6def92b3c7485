"""Appends a line of JSON for each request to a file: service, operation, client, status, differences from the model.

It answers nothing and changes nothing. The line is there before the answer ends.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.model import OperationModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import answers
from .routes import Asked, operation

FILE = "requests.jsonl"
OWN_CLIENT = "local-cloud"  # the cloud's calls to itself
MAX_KEPT = 1024 * 1024  # bytes of a body; what is larger is an object or a function's payload
_CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
# Patterns, of which the first that is in the User-Agent counts.
_CLIENTS = {
    OWN_CLIENT: "",
    "Airflow/": "Airflow",
    "aws-cli/1": "AWS CLI 1",
    "aws-cli/2": "AWS CLI 2",
    "AWS-SageMaker-Python-SDK[/#]2": "sagemaker 2",
    "AWS-SageMaker-Python-SDK|AWS-SageMakerCore": "sagemaker 3",
    "exec-env/AWS_Lambda": "Lambda",
    "Boto3/": "boto3",
    "Botocore/": "botocore",
}

logger = logging.getLogger(__name__)


class Recorder:
    """The application, with a file that is told of each of its requests."""

    def __init__(self, application: ASGIApp, file: Path) -> None:
        self.application = application
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _text(scope.get("headers", ()))
        signed = _CREDENTIAL.search(headers.get("authorization", ""))
        if scope["type"] != "http" or signed is None:
            await self.application(scope, receive, send)
            return
        answer = _Answer(lambda start, body: self._note(_asked(signed[1], scope, headers, bytes(sent)), start, body))
        sent = bytearray()

        async def hear() -> Message:
            message = await receive()
            _keep(sent, message)
            return message

        async def say(message: Message) -> None:
            for each in answer.next(message):
                await send(each)

        await self.application(scope, hear, say)

    def _note(self, asked: Asked, start: Message, body: bytes) -> None:
        try:
            self._write(asked, start, body)
        except Exception:
            logger.exception("a request for %s could not be written down", asked.service)

    def _write(self, asked: Asked, start: Message, body: bytes) -> None:
        model = operation(asked)
        line: dict[str, Any] = {
            "service": asked.service if model is None else model.service_model.service_name,
            "operation": None if model is None else model.name,
            "client": client_of(asked.headers.get("user-agent", "")),
            "status": start["status"],
        }
        if model is not None and len(body) <= MAX_KEPT and len(asked.body) <= MAX_KEPT:
            line["differences"] = _differences(model, asked, start, body)
        with self._file.open("a") as lines:
            lines.write(json.dumps(line) + "\n")


class _Answer:
    """What was answered so far. Its start waits for its body: a client that knows the length has no need of an end."""

    def __init__(self, write: Callable[[Message, bytes], None]) -> None:
        self._write: Callable[[Message, bytes], None] | None = write
        self._start: Message = {}
        self._held: list[Message] = []
        self._body = bytearray()
        self._length = 0

    def next(self, message: Message) -> list[Message]:
        """The messages that may be sent now; before the last that the client needs, the request is written down."""
        if message["type"] == "http.response.start":
            self._start, self._held = message, [message]
            return []
        self._length += len(message.get("body", b""))
        _keep(self._body, message)
        expected = int(_text(self._start["headers"]).get("content-length", sys.maxsize))
        if self._write and (self._length >= expected or not message.get("more_body")):
            self._write(self._start, bytes(self._body))
            self._write = None
        held, self._held = self._held, []
        return [*held, message]


def recorded(application: ASGIApp, data: Path) -> ASGIApp:
    """The application, whose requests are written down where the data folder has the file for it."""
    file = data / FILE
    return Recorder(application, file) if file.exists() else application


def client_of(agent: str) -> str:
    """Which program sent a request, by its `User-Agent`; empty for the cloud itself."""
    return next((name for mark, name in _CLIENTS.items() if re.search(mark, agent)), "HTTP")


def _differences(model: OperationModel, asked: Asked, start: Message, body: bytes) -> list[str]:
    headers = _text(start["headers"])
    try:
        if start["status"] >= 300:
            return sorted(set(answers.of_error(model, headers, body)))
        taken = answers.of_request(model, asked.body, asked.headers.get("content-type", ""))
        found = {f"request: {each}" for each in taken}
        return sorted(found | set(answers.of_answer(model, headers, body if asked.method != "HEAD" else b"")))
    except (ValueError, SyntaxError) as error:
        return [f"it cannot be read: {error}"]
    except Exception:
        logger.exception("%s could not be held against its model", model.name)
        return ["it could not be held against its model: the log says why"]


def _asked(service: str, scope: Scope, headers: dict[str, str], body: bytes) -> Asked:
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return Asked(service, scope["method"], headers.get("host", ""), path, query, headers, body)


def _keep(kept: bytearray, message: Message) -> None:
    if len(kept) <= MAX_KEPT:
        kept += message.get("body", b"")


def _text(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
