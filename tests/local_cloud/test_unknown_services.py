"""A service that the local cloud does not have says so, in the protocol of the request."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Cloud


@pytest.mark.parametrize(
    ("service", "operation", "protocol"),
    [
        ("ec2", "describe_vpcs", "ec2"),
        ("rds", "describe_db_instances", "query"),
        ("ecs", "list_clusters", "json"),
        ("efs", "describe_file_systems", "rest-json"),
        ("sesv2", "list_email_identities", "rest-json"),
        ("route53", "list_hosted_zones", "rest-xml"),
        ("cloudfront", "list_distributions", "rest-xml"),
    ],
)
def test_it_names_the_service(cloud: Cloud, service: str, operation: str, protocol: str) -> None:
    client = cloud.client(service)
    model = client.meta.service_model
    assert model.metadata["protocol"] == protocol
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)()
    answer = caught.value.response
    assert answer["Error"]["Code"].startswith("NotImplemented")
    assert answer["Error"]["Message"].startswith(
        f"The local cloud does not have the service '{model.signing_name}'. It has: account, "
    )
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["ResponseMetadata"]["RetryAttempts"]) == (501, 0)
    assert answer["ResponseMetadata"]["RequestId"]
