"""All that there is on a cloud, over the APIs of every service where the project or its neighbours have something.

What ended is left out: training jobs, executions and batch jobs are history, which AWS has no way to delete, and
metrics are too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3

Inventory = set[tuple[str, ...]]

# Service, operation, the member of the answer with the list, and what identifies an item where it is not a text itself.
LISTS = (
    ("s3", "list_buckets", "Buckets", "Name"),
    ("sagemaker", "list_endpoints", "Endpoints", "EndpointArn"),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigArn"),
    ("sagemaker", "list_models", "Models", "ModelArn"),
    ("lambda", "list_functions", "Functions", "FunctionArn"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("lambda", "list_layers", "Layers", "LayerArn"),
    ("stepfunctions", "list_state_machines", "stateMachines", "stateMachineArn"),
    ("stepfunctions", "list_activities", "activities", "activityArn"),
    ("iam", "list_roles", "Roles", "RoleId"),
    ("iam", "list_users", "Users", "UserId"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileId"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmArn"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("events", "list_rules", "Rules", "Arn"),
    ("batch", "describe_job_queues", "jobQueues", "jobQueueArn"),
    ("batch", "describe_compute_environments", "computeEnvironments", "computeEnvironmentArn"),
    ("ecr", "describe_repositories", "repositories", "repositoryArn"),
    ("secretsmanager", "list_secrets", "SecretList", "ARN"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
    ("kms", "list_keys", "Keys", "KeyId"),
    ("dynamodb", "list_tables", "TableNames", ""),
    ("scheduler", "list_schedules", "Schedules", "Arn"),
    ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", "ResourceARN"),
)


HISTORY = re.compile(r":training-job/|:batch:.*:job/")  # in ARNs of tagged resources


def inventory() -> Inventory:
    """Every resource, and every object and log stream in them."""
    found: Inventory = set()
    for service, operation, result, member in LISTS:
        found |= {(operation, item[member] if member else item) for item in _items(service, operation, result)}
    found = {item for item in found if not HISTORY.search(item[1])}
    for bucket in [name for kind, name in found if kind == "list_buckets"]:
        versions = _items("s3", "list_object_versions", "Versions", Bucket=bucket)
        found |= {("object", bucket, item["Key"], item["VersionId"], item["ETag"]) for item in versions}
        uploads = _items("s3", "list_multipart_uploads", "Uploads", Bucket=bucket)
        found |= {("upload", bucket, item["Key"], item["UploadId"]) for item in uploads}
    for group in [item[1] for item in found if item[0] == "describe_log_groups"]:
        streams = _items("logs", "describe_log_streams", "logStreams", logGroupName=group)
        found |= {("log stream", group, item["logStreamName"]) for item in streams}
    definitions = _items("batch", "describe_job_definitions", "jobDefinitions", status="ACTIVE")
    found |= {("job definition", item["jobDefinitionArn"]) for item in definitions}
    policies = _items("iam", "list_policies", "Policies", Scope="Local")
    found |= {("policy", item["Arn"]) for item in policies}
    stacks = _items("cloudformation", "list_stacks", "StackSummaries")
    found |= {("stack", item["StackId"]) for item in stacks if item["StackStatus"] != "DELETE_COMPLETE"}
    return found


def identities(project: str) -> Inventory:
    """The stack of a project's identities, and their roles."""
    stack = f"{project}-identities"
    cloudformation, iam = boto3.client("cloudformation"), boto3.client("iam")
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    roles = [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::IAM::Role"]
    found = {("list_roles", iam.get_role(RoleName=name)["Role"]["RoleId"]) for name in roles}
    return found | {("stack", cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackId"])}


def _items(service: str, operation: str, result: str, **arguments: Any) -> Iterator[Any]:
    for page in boto3.client(service).get_paginator(operation).paginate(**arguments):
        yield from page.get(result, [])
