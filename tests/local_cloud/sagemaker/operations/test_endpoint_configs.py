"""Endpoint configurations: kept as given, listed, deleted, and refused where the cloud could not do what they say."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Cloud
from tests.local_cloud.serving import Serving, capture_config


@pytest.fixture(scope="module")
def serving(cloud: Cloud) -> Serving:
    return Serving(cloud)


@pytest.fixture(scope="module")
def model(serving: Serving) -> str:
    return serving.model()


def variant(model: str, **changes: Any) -> dict[str, Any]:
    base = {"VariantName": "AllTraffic", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return {**base, **changes}


def create(serving: Serving, **request: Any) -> str:
    name = serving.name("config")
    serving.sagemaker.create_endpoint_config(EndpointConfigName=name, **request)
    return name


def test_a_configuration_is_described_as_it_was_given(serving: Serving, model: str) -> None:
    capture = capture_config("s3://bucket/captures")
    name = create(serving, ProductionVariants=[variant(model)], DataCaptureConfig=capture)
    described = serving.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert described["EndpointConfigArn"] == f"arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/{name}"
    assert described["ProductionVariants"] == [variant(model, InitialVariantWeight=1.0)]
    assert described["DataCaptureConfig"] == capture
    assert described["CreationTime"].tzinfo is not None


def test_list_tags_and_delete(serving: Serving, model: str) -> None:
    tag = {"Key": "team", "Value": "scones"}
    names = [create(serving, ProductionVariants=[variant(model)], Tags=[tag]) for _ in range(3)]
    contains = serving.bucket[-9:]
    listed = serving.sagemaker.list_endpoint_configs(NameContains=contains, MaxResults=100, SortBy="Name")
    found = [each["EndpointConfigName"] for each in listed["EndpointConfigs"]]
    assert found == sorted(found, reverse=True)
    assert set(names) <= set(found)
    arn = serving.sagemaker.describe_endpoint_config(EndpointConfigName=names[0])["EndpointConfigArn"]
    assert serving.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [tag]
    serving.sagemaker.delete_endpoint_config(EndpointConfigName=names[0])
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        serving.sagemaker.describe_endpoint_config(EndpointConfigName=names[0])


def test_a_name_in_use_and_a_missing_model(serving: Serving, model: str) -> None:
    name = create(serving, ProductionVariants=[variant(model)])
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Cannot create already existing endpoint config"):
        serving.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(model)])
    with pytest.raises(ClientError, match=r'\(ValidationException\).*Could not find model "arn:.*:model/missing"'):
        create(serving, ProductionVariants=[variant("missing")])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}, "serverless inference is not"),
        ({"ManagedInstanceScaling": {"Status": "ENABLED"}}, "managed instance scaling is not"),
        ({"AcceleratorType": "ml.eia1.medium"}, "accelerators are not"),
        ({"EnableSSMAccess": True}, "shell access to instances is not"),
        ({"InitialVariantWeight": 0.0}, "InitialVariantWeight greater than 0"),
    ],
)
def test_variants_that_cannot_be_served_are_refused(
    serving: Serving, model: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        create(serving, ProductionVariants=[variant(model, **changes)])


@pytest.mark.parametrize("member", ["ModelName", "InstanceType", "InitialInstanceCount"])
def test_variants_must_say_what_serves_them(serving: Serving, model: str, member: str) -> None:
    incomplete = variant(model)
    del incomplete[member]
    with pytest.raises(ClientError, match=f"AllTraffic must have {member}"):
        create(serving, ProductionVariants=[incomplete])


def test_what_the_cloud_does_not_do_is_refused(serving: Serving, model: str) -> None:
    asynchronous = {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}
    with pytest.raises(ClientError, match=r"\(NotImplementedException\).*asynchronous inference is not implemented"):
        create(serving, ProductionVariants=[variant(model)], AsyncInferenceConfig=asynchronous)
    with pytest.raises(ClientError, match="shadow variants are not implemented"):
        create(serving, ProductionVariants=[variant(model)], ShadowProductionVariants=[variant(model)])
    with pytest.raises(ClientError, match="variant names must be unique"):
        create(serving, ProductionVariants=[variant(model), variant(model)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"KmsKeyId": "key"}, "encrypted capture files are not implemented"),
        ({"DestinationS3Uri": "https://bucket/prefix"}, "write s3://"),
        ({"CaptureContentTypeHeader": {"CsvContentTypes": ["a/b"], "JsonContentTypes": ["a/b"]}}, "both CSV and JSON"),
        ({"InitialSamplingPercentage": 101}, "InitialSamplingPercentage|initialSamplingPercentage"),
        ({"CaptureOptions": [{"CaptureMode": "Everything"}]}, "aptureMode"),
    ],
)
def test_captures_that_cannot_be_made_are_refused(
    serving: Serving, model: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        create(
            serving,
            ProductionVariants=[variant(model)],
            DataCaptureConfig=capture_config("s3://bucket/captures", **changes),
        )
