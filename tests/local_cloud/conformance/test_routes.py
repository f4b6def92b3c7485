"""Which operation a request asks for: in each of AWS's protocols, botocore's own requests are known again."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest

from include.local_cloud.conformance.routes import Asked, operation

OBJECT = {"Bucket": "bucket", "Key": "folder/a key"}
PART = {**OBJECT, "UploadId": "id", "PartNumber": 1}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "list_buckets", {}),
    ("s3", "create_bucket", {"Bucket": "bucket"}),
    ("s3", "list_objects", {"Bucket": "bucket"}),
    ("s3", "list_objects_v2", {"Bucket": "bucket", "Prefix": "a"}),
    ("s3", "list_object_versions", {"Bucket": "bucket"}),
    ("s3", "get_bucket_location", {"Bucket": "bucket"}),
    ("s3", "put_object", OBJECT),
    ("s3", "copy_object", {**OBJECT, "CopySource": "bucket/other"}),
    ("s3", "head_object", OBJECT),
    ("s3", "get_object_tagging", OBJECT),
    ("s3", "create_multipart_upload", OBJECT),
    ("s3", "upload_part", PART),
    ("s3", "upload_part_copy", {**PART, "CopySource": "bucket/other"}),
    ("s3", "abort_multipart_upload", {**OBJECT, "UploadId": "id"}),
    ("s3", "delete_objects", {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "a"}]}}),
    ("lambda", "invoke", {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:name"}),
    ("lambda", "list_functions", {}),
    ("lambda", "get_function_configuration", {"FunctionName": "name"}),
    ("batch", "submit_job", {"jobName": "a", "jobQueue": "b", "jobDefinition": "c"}),
    ("batch", "list_tags_for_resource", {"resourceArn": "arn:aws:batch:us-east-1:000000000000:job-queue/name"}),
    ("sagemaker", "list_models", {}),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "a", "Body": b""}),
    ("stepfunctions", "list_state_machines", {}),
    ("cloudwatch", "describe_alarms", {}),
    ("sts", "get_caller_identity", {}),
    ("resourcegroupstaggingapi", "get_resources", {}),
]
HOSTS = ["https://{service}.us-east-1.amazonaws.com", "http://127.0.0.1:4566"]


@cache
def client_at(service: str, url: str) -> Any:
    return session().create_client(
        service, "us-east-1", endpoint_url=url, aws_access_key_id="id", aws_secret_access_key="secret"
    )


@cache
def session() -> Any:
    return botocore.session.Session()


class Caught(Exception):
    """A request, instead of its answer."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__()
        self.request = request


def catch(request: AWSPreparedRequest, **_: Any) -> None:
    raise Caught(request)


def sent(service: str, method: str, arguments: dict[str, Any], url: str) -> tuple[str, Asked]:
    """The operation that botocore calls, and its request as it is on the wire."""
    client = client_at(service, url)
    client.meta.events.register("before-send", catch, unique_id="catch")
    with pytest.raises(Caught) as caught:
        getattr(client, method)(**arguments)
    request = caught.value.request
    address = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    signed = client.meta.service_model.signing_name
    asked = Asked(signed, request.method, address.netloc, address.path, address.query, headers, body)
    return client.meta.method_to_api_mapping[method], asked


@pytest.mark.parametrize("host", HOSTS, ids=["aws", "local"])
@pytest.mark.parametrize(("service", "method", "arguments"), CALLS, ids=[f"{call[0]}-{call[1]}" for call in CALLS])
def test_the_operation_of_a_request_is_known(service: str, method: str, arguments: dict[str, Any], host: str) -> None:
    name, asked = sent(service, method, arguments, host.format(service=service))
    model = operation(asked)
    assert model is not None
    assert (model.service_model.service_name, model.name) == (service, name)


@pytest.mark.parametrize(
    "asked",
    [
        Asked("nothing", "GET", "127.0.0.1", "/", "", {}, b""),
        Asked("sagemaker", "POST", "127.0.0.1", "/", "", {"x-amz-target": "SageMaker.MakeCoffee"}, b""),
        Asked("sagemaker", "POST", "127.0.0.1", "/", "", {}, b""),
        Asked("lambda", "PATCH", "127.0.0.1", "/nowhere", "", {}, b""),
    ],
    ids=["service", "operation", "target", "path"],
)
def test_what_is_none_of_awss_requests_is_none(asked: Asked) -> None:
    assert operation(asked) is None
