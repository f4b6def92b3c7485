"""What SNS refuses with `InvalidParameter`, in AWS's words: MiniStack takes most of it, or has another code."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..patching import patch, require

Operation = Callable[[dict[str, Any]], Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,251}\.fifo")
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_PHONE = re.compile(r"\+?[0-9]{4,15}")
_ENDPOINTS = {
    "http": (re.compile(r"http://\S+"), "Endpoint must match the specified protocol"),
    "https": (re.compile(r"https://\S+"), "Endpoint must match the specified protocol"),
    "email": (re.compile(r"[^@\s]+@[^@\s]+"), "Email address"),
    "email-json": (re.compile(r"[^@\s]+@[^@\s]+"), "Email address"),
    "sms": (_PHONE, "Invalid SMS endpoint"),
    "sqs": (re.compile(r"arn:aws:sqs:[^:]+:\d{12}:[^:/]+"), "SQS endpoint ARN"),
    "lambda": (re.compile(r"arn:aws:lambda:[^:]+:\d{12}:function:[^/]+"), "Lambda endpoint ARN"),
    "application": (re.compile(r"arn:aws:sns:[^:]+:\d{12}:endpoint/\S+"), "Application endpoint arn invalid"),
    "firehose": (re.compile(r"arn:aws:firehose:[^:]+:\d{12}:deliverystream/\S+"), "Firehose endpoint ARN"),
}


def install() -> None:
    from ministack.services import sns
    from ministack.services.cloudformation import provisioners

    require(sns, "_p")
    require(provisioners, "_RESOURCE_HANDLERS")
    patch(sns, "_error", _with_code, ("code", "message", "status"))
    patch(sns, "_get_topic", _by_arn, ("topic_arn", "action"))
    for name, problems in (("_create_topic", _topic), ("_subscribe", _subscription), ("_publish", _message)):
        patch(sns, name, functools.partial(_judged, problems), ("params",))
    patch(sns, "_delete_topic", functools.partial(_judged, _arn), ("params",))
    for kind, of_stack in (("AWS::SNS::Topic", _stack_topic), ("AWS::SNS::Subscription", _subscription)):
        handlers = provisioners._RESOURCE_HANDLERS[kind]
        handlers["create"] = _in_stack(of_stack, handlers["create"])


def _with_code(error: Callable[..., Any]) -> Callable[..., Any]:
    """The exception's name is not its code."""

    @functools.wraps(error)
    def error_with_code(code: str, message: str, status: int) -> Any:
        if code == "InvalidParameterException":
            code, message = "InvalidParameter", f"Invalid parameter: {message.removeprefix('Invalid parameter: ')}"
        return error(code, message, status)

    return error_with_code


def _by_arn(get: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services import sns

    @functools.wraps(get)
    def get_by_arn(topic_arn: str, action: str | None = None) -> Any:
        for problem in _arn({"TopicArn": topic_arn}):
            return None, sns._error("InvalidParameterException", problem, 400)
        return get(topic_arn, action)

    return get_by_arn


def _judged(problems: Callable[[dict[str, Any]], Iterator[str]], operation: Operation) -> Operation:
    from ministack.services import sns

    @functools.wraps(operation)
    def judge(params: dict[str, Any]) -> Any:
        for problem in problems({name: sns._p(params, name) for name in params}):
            return sns._error("InvalidParameterException", problem, 400)
        return operation(params)

    return judge


def _in_stack(problems: Callable[[dict[str, Any]], Iterator[str]], create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_judged(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        for problem in problems(properties):
            raise ValueError(f"Invalid parameter: {problem}")
        return create(logical_id, properties, stack_name)

    return create_judged


def _arn(params: dict[str, Any]) -> Iterator[str]:
    arn = params.get("TopicArn") or ""
    if not arn:
        yield "TopicArn Reason: no value for required parameter"
    elif (elements := len(arn.split(":"))) < 6:
        yield f"TopicArn Reason: An ARN must have at least 6 elements, not {elements}"
    elif not arn.startswith("arn:aws:sns:"):
        yield "TopicArn"


def _topic(params: dict[str, Any]) -> Iterator[str]:
    attributes = {params[name]: params.get(f"{name[:-3]}value") for name in params if name.endswith(".key")}
    fifo = attributes.get("FifoTopic") == "true"
    if not (_FIFO_NAME if fifo else _NAME).fullmatch(params.get("Name") or ""):
        yield "Topic Name"


def _stack_topic(properties: dict[str, Any]) -> Iterator[str]:
    fifo, name = str(properties.get("FifoTopic")).lower() == "true", properties.get("TopicName")
    if name is not None and not (_FIFO_NAME if fifo else _NAME).fullmatch(name):
        yield "Topic Name"
    for subscription in properties.get("Subscription", []):
        yield from _subscription(subscription)


def _subscription(params: dict[str, Any]) -> Iterator[str]:
    protocol, endpoint = params.get("Protocol") or "", params.get("Endpoint") or ""
    if protocol not in _ENDPOINTS:
        yield f"Amazon SNS does not support this protocol string: {protocol}"
        return
    form, words = _ENDPOINTS[protocol]
    if not form.fullmatch(str(endpoint)):
        yield f"{words}: {endpoint}" if protocol == "sms" else words


def _message(params: dict[str, Any]) -> Iterator[str]:
    message, subject, phone = params.get("Message"), params.get("Subject"), params.get("PhoneNumber")
    if not (params.get("TopicArn") or params.get("TargetArn") or phone):
        yield "TopicArn or TargetArn Reason: no value for required parameter"
    if phone and not _PHONE.fullmatch(phone):
        yield f"PhoneNumber Reason: {phone} is not valid to publish to"
    if message in (None, ""):
        yield "Empty message"
    if subject is not None and not _SUBJECT.fullmatch(str(subject)):
        yield "Subject"
    if params.get("MessageStructure") == "json":
        yield from _structure(message)


def _structure(message: Any) -> Iterator[str]:
    try:
        texts = json.loads(message) if isinstance(message, str) else message
    except ValueError:
        texts = None
    if not isinstance(texts, dict):
        yield "Message Structure - JSON message body failed to parse"
    elif not isinstance(texts.get("default"), str):
        yield "Message Structure - No default entry in JSON message body"
