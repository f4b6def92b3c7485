"""Functions as AWS's Python runtime has them: what they may return, how they fail, what their log shows."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.roles import ROLE

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
    bucket, name = unique("code"), unique("stack")
    cloud.client("s3").create_bucket(Bucket=bucket)
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "code.handler",
            "Role": ROLE,
            "Code": {"S3Bucket": bucket, "S3Key": "none.zip"},
        },
    }
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Function": function}}))
    with pytest.raises(WaiterError, match="terminal failure"):
        formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    reasons = [event.get("ResourceStatusReason", "") for event in _events(formation, name)]
    assert any("NoSuchKey" in reason for reason in reasons)


def _events(formation: Any, name: str) -> list[dict[str, Any]]:
    return list(formation.describe_stack_events(StackName=name)["StackEvents"])
