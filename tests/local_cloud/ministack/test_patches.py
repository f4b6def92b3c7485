"""What the local cloud makes right in MiniStack: how Lambdas fail, and the metrics of state machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.config import Config

from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import client, refusal, unique
from tests.local_cloud.functions import execute, invoke, make_function, make_machine
from tests.waiting import eventually


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> Iterator[str]:
    name = unique("function")
    make_function(cloud, name)
    yield name
    client(cloud, "lambda").delete_function(FunctionName=name)


def test_a_lambda_fails_by_its_exceptions_class_and_stays_warm(cloud: Cloud, function: str) -> None:
    before, _ = invoke(cloud, function, {})
    assert before["account"] == "000000000000"
    failure, kind = invoke(cloud, function, {"fail": True})
    assert kind == "Unhandled"
    assert failure["errorType"] == "ThresholdConfidenceNotMet"
    assert failure["errorMessage"] == "THRESHOLD_CONFIDENCE_NOT_MET: 0.5 < 0.93"
    assert failure["requestId"]
    assert [line for line in failure["stackTrace"] if "in handler" in line]
    after, kind = invoke(cloud, function, {})
    assert kind is None
    assert (after["pid"], after["calls"]) == (before["pid"], before["calls"] + 2)


def test_an_execution_fails_by_the_exceptions_class_and_is_counted(cloud: Cloud, function: str) -> None:
    arn = client(cloud, "lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    machine = make_machine(cloud, unique("machine"), arn)
    failed = execute(cloud, machine, {"fail": True})
    assert (failed["status"], failed["error"]) == ("FAILED", "ThresholdConfidenceNotMet")
    cause = json.loads(failed["cause"])
    assert cause["errorMessage"].startswith("THRESHOLD_CONFIDENCE_NOT_MET: ")
    assert {"errorMessage", "errorType", "requestId", "stackTrace"} == set(cause)
    assert execute(cloud, machine, {})["status"] == "SUCCEEDED"

    now = datetime.now(UTC)

    def total(metric: str, statistic: str = "Sum") -> float:
        points = client(cloud, "cloudwatch").get_metric_statistics(
            Namespace="AWS/States",
            MetricName=metric,
            Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=86400,
            Statistics=[statistic],
        )["Datapoints"]
        return float(sum(point[statistic] for point in points))

    assert [total(f"Executions{kind}") for kind in ("Started", "Failed", "Succeeded", "Aborted")] == [2, 1, 1, 0]
    assert total("ExecutionTime", "Maximum") > 0
    assert REGION in machine


def test_signed_addresses_work_until_they_expire(cloud: Cloud) -> None:
    s3 = client(cloud, "s3")
    signing = cloud.client("s3", config=Config(signature_version="s3v4"))
    place = {"Bucket": unique("signed"), "Key": "folder/an odd+kéy.txt"}
    s3.create_bucket(Bucket=place["Bucket"])
    put = signing.generate_presigned_url("put_object", place)
    assert httpx.put(put, content=b"written").status_code == 200
    assert s3.get_object(**place)["Body"].read() == b"written"
    assert httpx.get(signing.generate_presigned_url("get_object", place)).content == b"written"
    short = signing.generate_presigned_url("get_object", place, ExpiresIn=1)
    eventually(lambda: httpx.get(short).status_code == 403)


def settled(formation: Any, name: str) -> str:
    """The status of a stack at which nothing is done any more."""
    return eventually(
        lambda: str(formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]),
        lambda status: not status.endswith("_IN_PROGRESS"),
    )


def test_a_stacks_bucket_bears_its_tags_and_those_of_an_update(cloud: Cloud) -> None:
    name, formation = unique("tagged"), client(cloud, "cloudformation")
    for call, value in ((formation.create_stack, "first"), (formation.update_stack, "second")):
        properties = {"BucketName": name, "Tags": [{"Key": "Purpose", "Value": value}]}
        template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}}
        call(StackName=name, TemplateBody=json.dumps(template), Tags=[{"Key": "Project", "Value": "scones"}])
        assert settled(formation, name) in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        tags = client(cloud, "s3").get_bucket_tagging(Bucket=name)["TagSet"]
        own = {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith("aws:")}
        assert own == {"Purpose": value, "Project": "scones"}
    formation.delete_stack(StackName=name)


def test_a_stacks_bucket_has_its_lifecycle_rules(cloud: Cloud) -> None:
    name, formation = unique("rules"), client(cloud, "cloudformation")
    rules = [
        {"Id": "old", "Status": "Enabled", "Prefix": "a/", "ExpirationInDays": 3},
        {
            **{"Id": "parts", "Status": "Disabled", "TagFilters": [{"Key": "k", "Value": "v"}], "Prefix": "b/"},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            "Transitions": [{"TransitionInDays": 30, "StorageClass": "GLACIER"}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 5},
        },
    ]
    configuration: dict[str, Any] = {"LifecycleConfiguration": {"Rules": rules}}
    for call, given in ((formation.create_stack, configuration), (formation.update_stack, {})):
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **given}}
        call(StackName=name, TemplateBody=json.dumps({"Resources": {"Bucket": bucket}}))
        assert settled(formation, name) in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        if given:
            old, parts = client(cloud, "s3").get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
            assert old == {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 3}}
            both = parts["Filter"]["And"]
            assert (both["Prefix"], both["Tags"]) == ("b/", [{"Key": "k", "Value": "v"}])
            assert parts["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER"}]
            assert parts["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
            assert parts["NoncurrentVersionExpiration"] == {"NoncurrentDays": 5}
    code, _ = refusal(client(cloud, "s3").get_bucket_lifecycle_configuration, Bucket=name)
    assert code == "NoSuchLifecycleConfiguration"
    formation.delete_stack(StackName=name)
