"""Models, their tags and their lists."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import IMAGE, refusal, unique
from tests.roles import ROLE

DATA = "local-cloud-models"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": f"s3://{DATA}/model.tar.gz", "Environment": {"SERVING_THREADS": "1"}}


@pytest.fixture(scope="module", autouse=True)
def model_data(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=DATA)
    s3.put_object(Bucket=DATA, Key="model.tar.gz", Body=b"x")
    s3.put_object(Bucket=DATA, Key="model/weights", Body=b"x")


def make(sagemaker: Any, name: str, **request: Any) -> str:
    arn: str = sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, **({"PrimaryContainer": CONTAINER} | request)
    )["ModelArn"]
    return arn


def test_a_model_from_creation_to_deletion(sagemaker: Any) -> None:
    name = unique("model")
    arn = make(sagemaker, name)
    assert arn == f"arn:aws:sagemaker:us-east-1:000000000000:model/{name}"
    model = sagemaker.describe_model(ModelName=name)
    assert (model["ModelName"], model["ModelArn"], model["ExecutionRoleArn"]) == (name, arn, ROLE)
    assert model["PrimaryContainer"] == CONTAINER
    answer = refusal(make, sagemaker=sagemaker, name=name)
    assert answer == ("ValidationException", f'Cannot create already existing model "{arn}".')
    sagemaker.delete_model(ModelName=name)
    gone = ("ValidationException", f'Could not find model "{arn}".')
    assert refusal(sagemaker.describe_model, ModelName=name) == gone
    assert refusal(sagemaker.delete_model, ModelName=name) == gone


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({"PrimaryContainer": {"ModelDataUrl": "s3://a/b"}}, "ValidationException", "Image"),
        ({"Containers": [CONTAINER]}, "ValidationException", "Exactly one"),
        ({"PrimaryContainer": CONTAINER | {"Mode": "MultiModel"}}, "NotImplementedException", "multi-model"),
    ],
)
def test_models_that_cannot_be(sagemaker: Any, request_: dict[str, Any], code: str, words: str) -> None:
    found = refusal(make, sagemaker=sagemaker, name=unique("model"), **request_)
    assert found[0] == code
    assert words in found[1]


@pytest.mark.parametrize("uri", ["s3://no-such-bucket-anywhere/model.tar.gz", f"s3://{DATA}/model", f"s3://{DATA}/m"])
def test_model_data_must_be_there(sagemaker: Any, uri: str) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": uri}
    found = refusal(make, sagemaker=sagemaker, name=unique("model"), PrimaryContainer=container)
    assert found == ("ValidationException", f"Could not find model data at {uri}.")


@pytest.mark.parametrize(("prefix", "there"), [("model/", True), ("none/", False)])
def test_uncompressed_model_data_are_a_prefix(sagemaker: Any, prefix: str, there: bool) -> None:
    source = {"S3Uri": f"s3://{DATA}/{prefix}", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}
    request = {"sagemaker": sagemaker, "name": unique("model"), "PrimaryContainer": container}
    if there:
        assert make(**request)
    else:
        assert refusal(make, **request) == ("ValidationException", f"Could not find model data at s3://{DATA}/none/.")


def test_tags(sagemaker: Any) -> None:
    name = unique("tagged")
    arn = make(sagemaker, name, Tags=[{"Key": "data", "Value": "cifar-100"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "data", "Value": "sample"}, {"Key": "stage", "Value": "é 1"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "data", "Value": "sample"},
        {"Key": "stage", "Value": "é 1"},
    ]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["data"])
    assert [tag["Key"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]] == ["stage"]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert refusal(sagemaker.add_tags, ResourceArn=arn, Tags=twice)[0] == "ValidationException"
    many = [{"Key": f"key{number}", "Value": ""} for number in range(50)]
    assert "51 tags" in refusal(sagemaker.add_tags, ResourceArn=arn, Tags=many)[1]
    sagemaker.delete_model(ModelName=name)
    assert refusal(sagemaker.list_tags, ResourceArn=arn) == ("ValidationException", f'Could not find resource "{arn}".')
    make(sagemaker, name)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_lists_filter_sort_and_page(sagemaker: Any) -> None:
    prefix = unique("list")
    names = [f"{prefix}-{number:02}" for number in range(12)]
    for name in names:
        make(sagemaker, name)

    def listed(**request: Any) -> list[str]:
        return [model["ModelName"] for model in sagemaker.list_models(NameContains=prefix, **request)["Models"]]

    assert listed() == names[::-1][:10]
    assert listed(SortOrder="Ascending", MaxResults=3) == names[:3]
    assert listed(SortBy="Name", SortOrder="Descending", MaxResults=100) == names[::-1]
    created = sagemaker.describe_model(ModelName=names[4])["CreationTime"]
    assert listed(CreationTimeAfter=created, SortBy="Name", SortOrder="Ascending") == names[5:]
    assert listed(CreationTimeBefore=created, SortBy="Name", SortOrder="Ascending") == names[:4]

    pages = sagemaker.get_paginator("list_models").paginate(NameContains=prefix, PaginationConfig={"PageSize": 5})
    assert [len(page["Models"]) for page in pages] == [5, 5, 2]


def test_a_page_goes_on_where_the_last_ended_whatever_was_deleted(sagemaker: Any) -> None:
    prefix = unique("pages")
    names = [f"{prefix}-{number}" for number in range(4)]
    for name in names:
        make(sagemaker, name)
    request = {"NameContains": prefix, "SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 2}
    first = sagemaker.list_models(**request)
    sagemaker.delete_model(ModelName=names[0])
    second = sagemaker.list_models(**request, NextToken=first["NextToken"])
    assert [model["ModelName"] for model in second["Models"]] == names[2:]
    assert "NextToken" not in second


def test_tokens_of_other_lists_are_refused(sagemaker: Any) -> None:
    prefix = unique("token")
    for number in range(2):
        make(sagemaker, f"{prefix}-{number}")
    token = sagemaker.list_models(NameContains=prefix, MaxResults=1)["NextToken"]
    for request in ({"NextToken": token}, {"NextToken": "made up"}, {"NextToken": "WzFd"}):
        code, message = refusal(sagemaker.list_models, **request)
        assert code == "ValidationException"
        assert "NextToken" in message
