"""Lambda's limits, of what a function is given, answers, and has as its environment."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import client, refusal, unique
from tests.local_cloud.functions import CODE, invoke, make_function, package
from tests.roles import ROLE
from tests.waiting import eventually

REFUSED = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided "
)


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    return make_function(cloud, unique("limits"))


@pytest.mark.parametrize(
    ("kind", "limit", "words"),
    [
        ("RequestResponse", 6_291_456, "Request must be smaller than 6291456 bytes for the InvokeFunction operation"),
        ("Event", 1_048_576, "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"),
    ],
)
def test_payloads(cloud: Cloud, function: str, kind: str, limit: int, words: str) -> None:
    functions = client(cloud, "lambda")
    empty = json.dumps({"x": ""}).encode()
    largest = empty[:-2] + b"x" * (limit - len(empty)) + empty[-2:]
    answer = functions.invoke(FunctionName=function, InvocationType=kind, Payload=largest)
    answer["Payload"].read()
    assert "FunctionError" not in answer
    refused = refusal(functions.invoke, FunctionName=function, InvocationType=kind, Payload=largest + b" ")
    assert refused == ("RequestEntityTooLargeException", words)


def test_answers(cloud: Cloud, function: str) -> None:
    assert invoke(cloud, function, {"length": 6_291_554})[1] is None
    answer, error = invoke(cloud, function, {"length": 6_291_555})
    assert (error, answer["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"A1": "x" * (4097 - len('{"A1":""}'))}, "exceeded the 4KB limit. String measured: "),
        (
            {"AWS_REGION": "eu-west-1", "OTHER": "1"},
            "contains reserved keys that are currently not supported for modification. "
            "Reserved keys used in this request: AWS_REGION",
        ),
    ],
)
def test_environments(cloud: Cloud, function: str, variables: dict[str, str], words: str) -> None:
    functions, environment = client(cloud, "lambda"), {"Variables": variables}
    request: dict[str, Any] = {"Runtime": "python3.12", "Role": ROLE, "Handler": "code.handler"}
    code = {"ZipFile": package(CODE)}
    for call, further in (
        (functions.create_function, {"FunctionName": unique("limits"), "Code": code, **request}),
        (functions.update_function_configuration, {"FunctionName": function}),
    ):
        error, message = refusal(call, Environment=environment, **further)
        assert (error, message.startswith(REFUSED + words)) == ("InvalidParameterValueException", True)


def test_an_environment_of_4_kb(cloud: Cloud, function: str) -> None:
    client(cloud, "lambda").update_function_configuration(
        FunctionName=function, Environment={"Variables": {"A1": "x" * (4096 - len('{"A1":""}'))}}
    )


def test_environments_in_a_stack(cloud: Cloud) -> None:
    properties = {
        "Runtime": "python3.12",
        "Role": ROLE,
        "Handler": "index.handler",
        "Code": {"ZipFile": "pass"},
        "Environment": {"Variables": {"AWS_REGION": "eu-west-1"}},
    }
    template = {"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": properties}}}
    stacks, name = client(cloud, "cloudformation"), unique("limits")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def reason() -> str | None:
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        return next(
            (each["ResourceStatusReason"] for each in events if each["ResourceStatus"] == "CREATE_FAILED"), None
        )

    assert "Reserved keys used in this request: AWS_REGION" in eventually(reason)


def test_a_package_over_50_mb(cloud: Cloud) -> None:
    request: dict[str, Any] = {"Runtime": "python3.12", "Role": ROLE, "Handler": "code.handler"}
    error, _ = refusal(
        client(cloud, "lambda").create_function,
        FunctionName=unique("limits"),
        Code={"ZipFile": bytes(52_428_800 + 200_000)},
        **request,
    )
    assert error == "RequestEntityTooLargeException"
