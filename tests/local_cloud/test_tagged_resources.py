"""Tagged SageMaker and Batch resources, as the Resource Groups Tagging API finds them."""

from __future__ import annotations

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import unique
from tests.roles import ROLE

pytestmark = pytest.mark.cloud


def found(cloud: Cloud, project: str, *types: str, region: str = "us-east-1") -> dict[str, dict[str, str]]:
    pages = cloud.client("resourcegroupstaggingapi", region_name=region).get_paginator("get_resources")
    request = {"TagFilters": [{"Key": "Project", "Values": [project]}], "ResourceTypeFilters": list(types)}
    return {
        item["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in item["Tags"]}
        for page in pages.paginate(**request)
        for item in page["ResourceTagMappingList"]
    }


def test_they_are_found_by_tag_and_type_in_their_region_until_they_go(cloud: Cloud) -> None:
    project = unique("tagged")
    sagemaker, batch = cloud.client("sagemaker"), cloud.client("batch")
    tags = [{"Key": "Project", "Value": project}, {"Key": "Stage", "Value": "test"}]
    model = sagemaker.create_model(
        ModelName=project, PrimaryContainer={"Image": "image"}, ExecutionRoleArn=ROLE, Tags=tags
    )["ModelArn"]
    environment = batch.create_compute_environment(
        computeEnvironmentName=project,
        type="MANAGED",
        computeResources={"type": "FARGATE", "maxvCpus": 1, "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]},
        tags={"Project": project},
    )["computeEnvironmentArn"]
    both = {model: {"Project": project, "Stage": "test"}, environment: {"Project": project}}
    assert found(cloud, project) == both
    assert set(found(cloud, project, "sagemaker")) == {model}
    assert set(found(cloud, project, "sagemaker:endpoint", "batch:compute-environment")) == {environment}
    assert found(cloud, project, region="eu-west-1") == {}
    sagemaker.delete_model(ModelName=project)
    assert set(found(cloud, project)) == {environment}
