"""How requests are judged and answered: by AWS's model and in AWS's words, whatever the client."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import client, refusal, training_request
from tests.roles import ROLE


def post(
    cloud: Cloud, target: str, body: bytes, path: str = "/", **headers: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """A request that no SDK would send."""
    sent = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", **headers}
    unsigned = AWSRequest("POST", cloud.url + path, sent, body)
    key = Credentials(cloud.key["AWS_ACCESS_KEY_ID"], cloud.key["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(key, "sagemaker", REGION).add_auth(unsigned)
    request = urllib.request.Request(cloud.url + path, body, dict(unsigned.headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), dict(error.headers)


@pytest.fixture
def unchecked(cloud: Cloud) -> Any:
    """A client that leaves judging to the service."""
    return cloud.client("sagemaker", config=Config(parameter_validation=False))


def test_missing_members_are_named(unchecked: Any) -> None:
    assert refusal(unchecked.create_training_job, TrainingJobName="a") == (
        "ValidationException",
        "2 validation errors detected: "
        "Value null at 'roleArn' failed to satisfy constraint: Member must not be null; "
        "Value null at 'outputDataConfig' failed to satisfy constraint: Member must not be null",
    )


def test_every_broken_constraint_is_named(unchecked: Any) -> None:
    request = training_request("under_score", "bucket")
    request["AlgorithmSpecification"]["TrainingInputMode"] = "Carrier pigeon"
    request["ResourceConfig"]["InstanceCount"] = -1
    request["InputDataConfig"] = []
    request["RoleArn"] = "arn:aws:iam::1:r"
    code, message = refusal(unchecked.create_training_job, **request)
    assert code == "ValidationException"
    assert message.startswith("6 validation errors detected: ")
    for part in (
        "Value 'under_score' at 'trainingJobName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        "Value 'Carrier pigeon' at 'algorithmSpecification.trainingInputMode' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Pipe, File, FastFile]",
        "Value '-1' at 'resourceConfig.instanceCount' failed to satisfy constraint: "
        "Member must have value greater than or equal to 0",
        "Value '[]' at 'inputDataConfig' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
        "at 'roleArn' failed to satisfy constraint: Member must satisfy regular expression pattern",
        "at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
    ):
        assert part in message


def test_members_of_lists_and_maps_are_found(unchecked: Any) -> None:
    request = training_request("job", "bucket", long="x" * 2600)
    request["InputDataConfig"][2]["ChannelName"] = "not a name"
    _, message = refusal(unchecked.create_training_job, **request)
    assert "at 'hyperParameters.long.member' failed to satisfy constraint: Member must have length less than" in message
    assert "Value 'not a name' at 'inputDataConfig.3.member.channelName'" in message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"[]", "JSON object"),
        (b'{"MaxResults": "ten"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"NameContains": 5}', "NUMBER_VALUE can not be converted to String"),
        (b'{"CreationTimeAfter": true}', "BOOLEAN_VALUE can not be converted to a timestamp"),
    ],
)
def test_values_of_the_wrong_type(cloud: Cloud, body: bytes, words: str) -> None:
    status, answer, headers = post(cloud, "SageMaker.ListModels", body)
    assert (status, answer["__type"]) == (400, "SerializationException")
    assert words in answer["message"]
    assert headers["x-amzn-errortype"] == "SerializationException"
    assert headers["x-amzn-requestid"]


def test_times_may_be_text_and_members_may_be_null(cloud: Cloud) -> None:
    body = b'{"CreationTimeAfter": "2020-01-01T00:00:00Z", "NameContains": null, "MaxResults": 1}'
    assert post(cloud, "SageMaker.ListModels", body)[0] == 200


def test_operations_that_are_not_there_say_so(cloud: Cloud, sagemaker: Any) -> None:
    code, message = refusal(sagemaker.list_notebook_instances)
    assert code == "NotImplementedException"
    assert "ListNotebookInstances" in message
    status, answer, _ = post(cloud, "SageMaker.MakeCoffee", b"{}")
    assert (status, answer["__type"]) == (404, "UnknownOperationException")
    assert "MakeCoffee" in answer["message"]


def test_batch_does_not_pretend(cloud: Cloud) -> None:
    code, _ = refusal(client(cloud, "batch").list_scheduling_policies)
    assert code == "NotImplementedException"


def test_regions_are_apart(cloud: Cloud, sagemaker: Any) -> None:
    sagemaker.create_model(ModelName="here", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "image"})
    elsewhere = cloud.client("sagemaker", region_name="eu-west-1")
    assert refusal(elsewhere.describe_model, ModelName="here")[0] == "ValidationException"
    arn = elsewhere.create_model(ModelName="here", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "image"})[
        "ModelArn"
    ]
    assert arn == "arn:aws:sagemaker:eu-west-1:000000000000:model/here"
    for each in (sagemaker, elsewhere):
        each.delete_model(ModelName="here")
