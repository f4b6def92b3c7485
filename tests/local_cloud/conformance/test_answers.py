"""What is no answer or request of AWS's is told, in each of its protocols, by operation and member."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.local_cloud.aws_json import service_model
from include.local_cloud.conformance.answers import of_answer, of_error, of_request

JSON = {"content-type": "application/x-amz-json-1.1"}
MODEL = {
    "ModelName": "a",
    "ModelArn": "arn:aws:sagemaker:us-east-1:000000000000:model/a",
    "CreationTime": 1.5,
}
LISTED = """<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>{inside}
<IsTruncated>false</IsTruncated></ListBucketResult>"""
OBJECT = "<Contents><Key>k</Key><Size>{size}</Size><LastModified>{time}</LastModified>{more}</Contents>"
TIME = "2026-01-31T12:00:00.000Z"
ROLE = """<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/</Path>
<RoleName>name</RoleName><RoleId>AROAAAAAAAAAAAAAAAAAA</RoleId><Arn>arn:aws:iam::000000000000:role/name</Arn>{inside}
<Tags><member><Key>a</Key><Value>b</Value></member></Tags></Role></GetRoleResult>
<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetRoleResponse>"""
MADE = f"<CreateDate>{TIME}</CreateDate>"


def told(service: str, operation: str, body: bytes | str | dict[str, Any], headers: dict[str, str] = JSON) -> list[str]:
    content = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    return list(of_answer(service_model(service).operation_model(operation), headers, content))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in MODEL.items() if key != name}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (MODEL, []),
        ({**MODEL, "Colour": "red"}, ["Colour is unknown"]),
        (without("ModelName"), ["ModelName is missing"]),
        ({**MODEL, "CreationTime": TIME}, ["CreationTime is str, not timestamp"]),
        ({**MODEL, "CreationTime": True}, ["CreationTime is bool, not timestamp"]),
        ({**MODEL, "ExecutionRoleArn": None}, ["ExecutionRoleArn is NoneType, not string"]),
        ({**MODEL, "EnableNetworkIsolation": "no"}, ["EnableNetworkIsolation is str, not boolean"]),
        ({**MODEL, "Containers": {}}, ["Containers is dict, not list"]),
        ({**MODEL, "Containers": ["a"]}, ["Containers[] is str, not structure"]),
        (
            {**MODEL, "Containers": [{"Mode": "Odd"}]},
            ["Containers[].Mode is 'Odd', which is none of the model's values"],
        ),
        (
            {**MODEL, "PrimaryContainer": {"Environment": {"A": 1}}},
            ["PrimaryContainer.Environment{} is int, not string"],
        ),
        ({**MODEL, "PrimaryContainer": {"Environment": []}}, ["PrimaryContainer.Environment is list, not map"]),
    ],
)
def test_an_answer_in_json(body: dict[str, Any], expected: list[str]) -> None:
    assert told("sagemaker", "DescribeModel", body) == expected


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", []),
        (OBJECT.format(size=3, time=TIME, more=""), []),
        (OBJECT.format(size="big", time=TIME, more=""), ["Contents[].Size is str, not long"]),
        (OBJECT.format(size=3, time="noon", more=""), ["Contents[].LastModified is str, not timestamp"]),
        (OBJECT.format(size=3, time=TIME, more="<Colour/>"), ["Contents[].Colour is unknown"]),
        ("<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>", []),
        ("<Colour>red</Colour>", ["Colour is unknown"]),
    ],
)
def test_an_answer_of_s3(inside: str, expected: list[str]) -> None:
    assert told("s3", "ListObjectsV2", LISTED.format(inside=inside), {"content-type": "application/xml"}) == expected


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (MADE, []),
        ("", ["Role.CreateDate is missing"]),
        (f"{MADE}<MaxSessionDuration>long</MaxSessionDuration>", ["Role.MaxSessionDuration is str, not integer"]),
        (f"{MADE}<Colour>red</Colour>", ["Role.Colour is unknown"]),
    ],
)
def test_an_answer_of_the_query_protocol(inside: str, expected: list[str]) -> None:
    assert told("iam", "GetRole", ROLE.format(inside=inside), {"content-type": "text/xml"}) == expected


def test_a_list_whose_items_have_another_name_is_none() -> None:
    body = ROLE.format(inside=MADE).replace("member>", "item>")
    assert told("iam", "GetRole", body, {"content-type": "text/xml"}) == ["Role.Tags is dict, not list"]


def test_the_headers_of_an_answer() -> None:
    headers = {"content-length": "3", "last-modified": "Sat, 31 Jan 2026 12:00:00 GMT", "etag": '"a"'}
    assert told("s3", "HeadObject", b"", headers) == []
    wrong = {**headers, "content-length": "three", "last-modified": TIME}
    assert told("s3", "HeadObject", b"", wrong) == [
        "last-modified is str, not timestamp",
        "content-length is str, not long",
    ]


def test_an_answer_in_cbor() -> None:
    headers = {"content-type": "application/cbor"}
    assert told("cloudwatch", "ListMetrics", b"\xa1\x67Metrics\x80", headers) == []
    assert told("cloudwatch", "ListMetrics", b"\xa1\x66Colour\x61a", headers) == ["Colour is unknown"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ModelName": "a", "PrimaryContainer": {"Image": "i"}, "Tags": None}, []),
        ({}, ["ModelName is missing"]),
        ({"ModelName": "a", "Colour": "red"}, ["Colour is unknown"]),
        ({"ModelName": 1}, ["ModelName is int, not string"]),
    ],
)
def test_a_request_that_was_taken(given: dict[str, Any], expected: list[str]) -> None:
    model = service_model("sagemaker").operation_model("CreateModel")
    assert list(of_request(model, json.dumps(given).encode(), JSON["content-type"])) == expected


@pytest.mark.parametrize("time", [1.5, TIME])
def test_a_request_may_have_its_times_as_numbers_or_texts(time: object) -> None:
    model = service_model("sagemaker").operation_model("ListModels")
    assert list(of_request(model, json.dumps({"CreationTimeAfter": time}).encode(), JSON["content-type"])) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"__type": "ResourceInUse", "message": "it is there"}, []),
        ({"__type": "ResourceInUse", "Message": "it is there"}, []),
        ({"__type": "ResourceInUse", "Message": "", "Colour": "red"}, ["ResourceInUse: Colour is unknown"]),
        ({"__type": "ResourceInUse", "Message": 1}, ["ResourceInUse: Message is int, not string"]),
        ({"__type": "ValidationException", "message": "of all services"}, []),
        ({"message": "why"}, ["an error has no code"]),
    ],
)
def test_an_error(content: dict[str, Any], expected: list[str]) -> None:
    model = service_model("sagemaker").operation_model("CreateTrainingJob")
    assert list(of_error(model, JSON, json.dumps(content).encode())) == expected
