"""Functions as AWS's Python runtime has them: what they may return, how they fail, what their log shows."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.local_cloud.ministack.patches.lambda_runtimes import _python
from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.local_cloud.functions import package
from tests.roles import ROLE
from tests.waiting import eventually

ANSWERS = """
import base64
import decimal


def bytes_of_an_image(event, context):
    return {"image_data": base64.b64encode(b"picture"), "inferences": []}


def numbers(event, context):
    return [decimal.Decimal("5"), decimal.Decimal("0.93"), float("nan")]


def no_json(event, context):
    return {"a", "set"}


def no_text(event, context):
    return b"\\xff"


def loud(event, context):
    print("a line")
    return None
"""


class Functions:
    def __init__(self, cloud: Cloud) -> None:
        self.api = cloud.client("lambda")
        self.made: list[str] = []

    def make(self, handler: str, files: dict[str, str], **code: Any) -> str:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        name = unique("function")
        self.api.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=ROLE,
            Handler=handler,
            Code=code or {"ZipFile": buffer.getvalue()},
        )
        self.made.append(name)
        return name

    def invoke(self, name: str) -> tuple[Any, str | None, str]:
        """What it answers, whether that is an error, and the end of its log."""
        answer = self.api.invoke(FunctionName=name, LogType="Tail", Payload=b"{}")
        log = base64.b64decode(answer["LogResult"]).decode()
        return json.load(answer["Payload"]), answer.get("FunctionError"), log


@pytest.fixture(scope="module")
def functions(cloud: Cloud) -> Iterator[Functions]:
    functions = Functions(cloud)
    yield functions
    for name in functions.made:
        functions.api.delete_function(FunctionName=name)


def test_bytes_are_text_in_an_answer(functions: Functions) -> None:
    answer, failed, _ = functions.invoke(functions.make("code.bytes_of_an_image", {"code.py": ANSWERS}))
    assert failed is None
    assert answer == {"image_data": base64.b64encode(b"picture").decode(), "inferences": []}


def test_decimals_are_numbers_in_an_answer(functions: Functions) -> None:
    answer, failed, _ = functions.invoke(functions.make("code.numbers", {"code.py": ANSWERS}))
    assert failed is None
    assert (answer[:2], type(answer[0])) == ([5, 0.93], int)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [("no_json", "Object of type set is not JSON serializable"), ("no_text", "'utf-8' codec can't decode byte 0xff")],
)
def test_an_answer_that_is_no_json_is_a_marshal_error(functions: Functions, handler: str, reason: str) -> None:
    answer, failed, _ = functions.invoke(functions.make(f"code.{handler}", {"code.py": ANSWERS}))
    assert failed == "Unhandled"
    assert (answer["errorType"], answer["stackTrace"]) == ("Runtime.MarshalError", [])
    assert answer["errorMessage"].startswith(f"Unable to marshal response: {reason}")


@pytest.mark.parametrize(
    ("handler", "code", "kind", "message"),
    [
        ("code.handler", "import nowhere", "Runtime.ImportModuleError", "Unable to import module 'code': No module"),
        ("other.handler", "", "Runtime.ImportModuleError", "Unable to import module 'other': No module named 'other'"),
        ("code.handler", "", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'code'"),
        ("code.handler", "def (", "Runtime.UserCodeSyntaxError", "Syntax error in module 'code': "),
        ("code.handler", "raise KeyError('ENDPOINT')", "KeyError", "'ENDPOINT'"),
    ],
)
def test_code_that_cannot_be_imported(functions: Functions, handler: str, code: str, kind: str, message: str) -> None:
    name = functions.make(handler, {"code.py": code})
    for _ in range(2):
        answer, failed, log = functions.invoke(name)
        assert (failed, answer["errorType"]) == ("Unhandled", kind)
        assert answer["errorMessage"].startswith(message)
        assert f"[ERROR] {kind}: {message}" in log


def test_the_log_begins_and_ends_as_on_aws(functions: Functions, cloud: Cloud) -> None:
    name = functions.make("code.loud", {"code.py": ANSWERS})
    _, _, log = functions.invoke(name)
    start, line, end, report = log.splitlines()
    identity = start.split()[2]
    assert start == f"START RequestId: {identity} Version: $LATEST"
    assert (line, end) == ("a line", f"END RequestId: {identity}")
    assert re.fullmatch(
        rf"REPORT RequestId: {identity}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB"
        r"\tMax Memory Used: \d+ MB",
        report.rstrip(),
    )
    logs = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert [event["message"].rstrip() for event in logs] == [start, line, end, report.rstrip()]


def test_code_must_be_where_it_is_said_to_be(functions: Functions, cloud: Cloud) -> None:
    bucket = unique("code")
    cloud.client("s3").create_bucket(Bucket=bucket)
    code, message = refusal(functions.make, handler="code.loud", files={}, S3Bucket=bucket, S3Key="none.zip")
    assert code == "InvalidParameterValueException"
    assert message.startswith("Error occurred while GetObject. S3 Error Code: NoSuchKey.")
    name = functions.make("code.loud", {"code.py": ANSWERS})
    code, _ = refusal(functions.api.update_function_code, FunctionName=name, S3Bucket=bucket, S3Key="none.zip")
    assert code == "InvalidParameterValueException"
    assert functions.invoke(name)[1] is None


def test_a_stack_whose_code_is_not_there_fails(cloud: Cloud) -> None:
    bucket = unique("code")
    cloud.client("s3").create_bucket(Bucket=bucket)
    place = {"S3Bucket": bucket, "S3Key": "none.zip"}
    properties = {"Runtime": "python3.12", "Handler": "code.handler", "Role": ROLE, "Code": place}
    assert "NoSuchKey" in failure_of(cloud, {"Type": "AWS::Lambda::Function", "Properties": properties})


def failure_of(cloud: Cloud, resource: dict[str, Any]) -> str:
    """Why a stack of this resource alone fails."""
    formation, name = cloud.client("cloudformation"), unique("stack")
    formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Only": resource}}))

    def reason() -> str | None:
        events = formation.describe_stack_events(StackName=name)["StackEvents"]
        failed = (event for event in events if event["ResourceStatus"] == "CREATE_FAILED")
        return next((event["ResourceStatusReason"] for event in failed), None)

    return str(eventually(reason))


SEES = """
import importlib
import sys


def handler(event, context):
    import boto3, botocore, dateutil, jmespath, s3transfer, six, urllib3, own_package

    hidden = []
    for name in ("numpy", "PIL", "torch", "starlette", "ministack", "pytest", "yaml", "include"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            hidden.append(name)
    return [own_package.NAME, hidden, "%d.%d" % sys.version_info[:2]]


def fail(event, context):
    raise ValueError("no")
"""


def test_a_function_sees_its_own_packages_and_those_of_awss_runtime(functions: Functions) -> None:
    files = {"code.py": SEES, "own_package/__init__.py": "NAME = 'its own'"}
    answer, failed, _ = functions.invoke(functions.make("code.handler", files))
    assert failed is None, answer
    assert answer[:2] == [
        "its own",
        ["numpy", "PIL", "torch", "starlette", "ministack", "pytest", "yaml", "include"],
    ]


def test_a_stack_trace_says_where_the_code_lies_on_aws(functions: Functions) -> None:
    answer, _, log = functions.invoke(functions.make("code.fail", {"code.py": SEES}))
    assert answer["stackTrace"] == ['  File "/var/task/code.py", line 19, in fail\n    raise ValueError("no")\n']
    assert 'File "/var/task/code.py", line 19, in fail' in log


@pytest.mark.parametrize(
    ("runtime", "words"),
    [
        (
            "python3.99",
            "Value python3.99 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [",
        ),
        ("java21", "The local cloud cannot run java21: it has Python 3"),
        ("python2.7", "The local cloud cannot run python2.7: it has Python 3"),
    ],
)
def test_runtimes_that_are_not_there(functions: Functions, cloud: Cloud, runtime: str, words: str) -> None:
    name = functions.make("code.loud", {"code.py": ANSWERS})
    properties = {"Runtime": runtime, "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": "pass"}}
    code = {"ZipFile": package("pass")}
    for call, request in (
        (functions.api.create_function, {**properties, "FunctionName": unique("function"), "Code": code}),
        (functions.api.update_function_configuration, {"FunctionName": name, "Runtime": runtime}),
    ):
        error, message = refusal(call, **request)
        assert (error, message[: len(words)]) == ("InvalidParameterValueException", words)
    assert words in failure_of(cloud, {"Type": "AWS::Lambda::Function", "Properties": properties})


@pytest.mark.system
def test_a_functions_python_is_the_one_it_asks_for_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for version, told in (("3.50", "3 50 /opt/a folder/python3"), ("3.51", "3 50 /opt/python3"), ("3.52", "")):
        interpreter = tmp_path / f"python{version}"
        interpreter.write_text(f"#!/bin/sh\necho '{told}'\n" if told else "#!/bin/sh\nexit 127\n")
        interpreter.chmod(0o755)
    found = {version: _python(f"python{version}") for version in ("3.50", "3.51", "3.52", "3.53")}
    assert found == {"3.50": "/opt/a folder/python3", "3.51": None, "3.52": None, "3.53": None}
    assert _python(f"python{sys.version_info[0]}.{sys.version_info[1]}") is None


def test_code_of_more_than_250_mb(functions: Functions, cloud: Cloud) -> None:
    buffer, bucket = io.BytesIO(), unique("code")
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open("x", "w") as file:
        for _ in range(251):
            file.write(bytes(1_048_576))
    words = "Unzipped size must be smaller than 262144000 bytes"
    refused = refusal(functions.make, handler="code.loud", files={}, ZipFile=buffer.getvalue())
    assert refused == ("InvalidParameterValueException", words)
    cloud.client("s3").create_bucket(Bucket=bucket)
    cloud.client("s3").put_object(Bucket=bucket, Key="code.zip", Body=buffer.getvalue())
    place = {"S3Bucket": bucket, "S3Key": "code.zip"}
    properties = {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Code": place}
    assert words in failure_of(cloud, {"Type": "AWS::Lambda::Function", "Properties": properties})
