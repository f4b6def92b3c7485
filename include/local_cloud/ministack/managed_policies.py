"""AWS's managed policies that MiniStack lacks, as far as the services here go: the same rights in short form."""

from __future__ import annotations

import json
from typing import Any

Statement = dict[str, Any]


def _allow(*actions: str, on: str | list[str] = "*", **condition: dict[str, Any]) -> Statement:
    statement: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return statement | ({"Condition": condition} if condition else {})


def _of(service: str, *operations: str) -> list[str]:
    return [f"{service}:{operation}" for operation in operations]


def _pass_role(*services: str, on: str = "*") -> Statement:
    passed = [f"{service}.amazonaws.com" for service in services]
    return _allow("iam:PassRole", on=on, StringEquals={"iam:PassedToService": passed})


def _linked_role(*services: str) -> Statement:
    linked = [f"{service}.amazonaws.com" for service in services]
    return _allow("iam:CreateServiceLinkedRole", StringEquals={"iam:AWSServiceName": linked})


_OF_SAGEMAKER = ["SageMaker", "Sagemaker", "sagemaker"]
_PULL = _of("ecr", "GetAuthorizationToken", "BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
_REPOSITORIES = _of("ecr", "Describe*", "List*", "GetRepositoryPolicy", "GetLifecyclePolicy")
_NETWORK = _of(
    "ec2",
    *("CreateNetworkInterface", "CreateNetworkInterfacePermission", "CreateVpcEndpoint", "DeleteNetworkInterface"),
    *("DeleteNetworkInterfacePermission", "DescribeDhcpOptions", "DescribeNetworkInterfaces", "DescribeRouteTables"),
    *("DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcEndpoints", "DescribeVpcs"),
)
_LOGS = _of("logs", "CreateLogGroup", "CreateLogStream", "PutLogEvents", "Describe*", "GetLogEvents", "FilterLogEvents")
_SCALING = [
    *("DeleteScalingPolicy", "DeleteScheduledAction", "DeregisterScalableTarget", "DescribeScalableTargets"),
    *("DescribeScalingActivities", "DescribeScalingPolicies", "DescribeScheduledActions", "PutScalingPolicy"),
    *("PutScheduledAction", "RegisterScalableTarget"),
]

_SAGEMAKER = [
    _allow("sagemaker:*", "sagemaker-geospatial:*", "groundtruthlabeling:*", "glue:*"),
    _allow(*_of("application-autoscaling", *_SCALING)),
    _allow(*_of("cloudwatch", "PutMetricData", "PutMetricAlarm", "DeleteAlarms", "Describe*", "Get*", "List*"), *_LOGS),
    _allow(*_PULL, "ecr:CreateRepository", "ecr:Describe*", "ecr:StartImageScan", *_NETWORK),
    _allow("iam:GetRole", "iam:ListRoles", "kms:DescribeKey", "kms:ListAliases", "lambda:ListFunctions"),
    _allow("sns:ListTopics", "tag:GetResources", "secretsmanager:ListSecrets", "aws-marketplace:ViewSubscriptions"),
    _allow(
        *_of("ecr", "SetRepositoryPolicy", "CompleteLayerUpload", "BatchDeleteImage", "UploadLayerPart"),
        *_of("ecr", "DeleteRepository", "DeleteRepositoryPolicy", "InitiateLayerUpload", "PutImage"),
        on="arn:aws:ecr:*:*:repository/*sagemaker*",
    ),
    _allow(
        *_of("s3", "GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "GetBucketAcl", "PutObjectAcl"),
        on=[f"arn:aws:s3:::*{name}*" for name in (*_OF_SAGEMAKER, "aws-glue")],
    ),
    _allow("s3:GetObject", StringEqualsIgnoreCase={"s3:ExistingObjectTag/SageMaker": "true"}),
    _allow(*_of("s3", "CreateBucket", "GetBucketLocation", "ListBucket", "ListAllMyBuckets")),
    _allow("s3:GetBucketCors", "s3:PutBucketCors"),
    _allow(
        "lambda:InvokeFunction",
        on=[f"arn:aws:lambda:*:*:function:*{name}*" for name in (*_OF_SAGEMAKER, "LabelingFunction")],
    ),
    _allow(
        *_of("sns", "Subscribe", "CreateTopic", "Publish"), on=[f"arn:aws:sns:*:*:*{name}*" for name in _OF_SAGEMAKER]
    ),
    _allow(
        *_of("states", "StartExecution", "CreateStateMachine", "DescribeExecution"), on="arn:aws:states:*:*:*sagemaker*"
    ),
    _allow(
        *_of("secretsmanager", "DescribeSecret", "GetSecretValue", "CreateSecret"),
        on="arn:aws:secretsmanager:*:*:secret:AmazonSageMaker-*",
    ),
    _pass_role("sagemaker", "bedrock", on="arn:aws:iam::*:role/*"),
    _pass_role("glue", "robomaker", "states", on="arn:aws:iam::*:role/*AmazonSageMaker*"),
    _linked_role("sagemaker.application-autoscaling", "robomaker"),
]
_POLICIES: dict[str, list[Statement]] = {
    "AmazonSageMakerFullAccess": _SAGEMAKER,
    "AmazonSageMakerReadOnly": [
        _allow(*_of("sagemaker", "Describe*", "List*", "BatchGetMetrics", "Search", "GetSearchSuggestions")),
        _allow(*_of("application-autoscaling", "Describe*"), *_of("cloudwatch", "Describe*", "Get*", "List*")),
    ],
    "AWSLambda_FullAccess": [
        _allow("lambda:*", "logs:DescribeLogGroups", "cloudwatch:ListMetrics", "cloudwatch:GetMetricData"),
        _allow(*_of("cloudformation", "DescribeStacks", "ListStackResources"), *_of("states", "Describe*", "List*")),
        _allow(*_of("iam", "GetPolicy", "GetPolicyVersion", "GetRole", "GetRolePolicy", "ListRoles")),
        _allow(*_of("iam", "ListAttachedRolePolicies", "ListRolePolicies"), "kms:ListAliases", "tag:GetResources"),
        _allow(*_of("ec2", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs")),
        _pass_role("lambda"),
        _allow(
            *_of("logs", "DescribeLogStreams", "GetLogEvents", "FilterLogEvents"),
            on="arn:aws:logs:*:*:log-group:/aws/lambda/*",
        ),
    ],
    "AWSLambda_ReadOnlyAccess": [
        _allow(*_of("lambda", "Get*", "List*"), "logs:DescribeLogGroups", "cloudwatch:GetMetricData"),
    ],
    "AWSStepFunctionsFullAccess": [_allow("states:*")],
    "AWSStepFunctionsReadOnlyAccess": [_allow(*_of("states", "Describe*", "List*", "GetExecutionHistory"))],
    "AWSStepFunctionsConsoleFullAccess": [
        _allow("states:*", "iam:ListRoles", "lambda:ListFunctions"),
        _allow("iam:PassRole", on="arn:aws:iam::*:role/service-role/StatesExecutionRole*"),
    ],
    "AmazonEC2ContainerRegistryFullAccess": [_allow("ecr:*"), _linked_role("replication.ecr")],
    "AmazonEC2ContainerRegistryReadOnly": [_allow(*_PULL, *_REPOSITORIES)],
    "AmazonEC2ContainerRegistryPowerUser": [
        _allow(*_PULL, *_REPOSITORIES),
        _allow(*_of("ecr", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage")),
    ],
    "CloudWatchFullAccess": [
        _allow("cloudwatch:*", "logs:*", "sns:*", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole"),
    ],
    "CloudWatchFullAccessV2": [
        _allow("cloudwatch:*", "logs:*", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole"),
        _allow(*_of("sns", "CreateTopic", "List*", "Subscribe"), "application-autoscaling:DescribeScalingPolicies"),
    ],
    "CloudWatchReadOnlyAccess": [
        _allow(
            *_of("cloudwatch", "Describe*", "Get*", "List*"),
            *_of("logs", "Get*", "List*", "Describe*", "FilterLogEvents"),
        ),
        _allow("sns:Get*", "sns:List*", "application-autoscaling:DescribeScalingPolicies"),
    ],
    "CloudWatchLogsReadOnlyAccess": [
        _allow(*_of("logs", "Describe*", "Get*", "List*", "FilterLogEvents", "StartQuery", "StopQuery")),
    ],
    "AmazonEventBridgeFullAccess": [_allow("events:*", "scheduler:*"), _pass_role("events", "scheduler")],
    "AmazonSNSReadOnlyAccess": [_allow("sns:GetTopicAttributes", "sns:List*")],
    "AmazonSQSReadOnlyAccess": [_allow(*_of("sqs", "GetQueueAttributes", "GetQueueUrl", "List*"))],
    "AmazonSSMFullAccess": [_allow("ssm:*", "cloudwatch:PutMetricData", "ec2:DescribeInstanceStatus")],
    "AmazonSSMReadOnlyAccess": [_allow(*_of("ssm", "Describe*", "Get*", "List*"))],
    "AWSBatchFullAccess": [
        _allow("batch:*", "cloudwatch:GetMetricStatistics", *_of("logs", "Describe*", "Get*", "FilterLogEvents")),
        _allow(*_of("ec2", "DescribeSubnets", "DescribeSecurityGroups", "DescribeVpcs"), "iam:ListRoles"),
        _allow(
            "iam:PassRole",
            on=["arn:aws:iam::*:role/AWSBatchServiceRole", "arn:aws:iam::*:role/service-role/AWSBatchServiceRole"],
        ),
        _allow("iam:PassRole", on="arn:aws:iam::*:role/ecsInstanceRole"),
    ],
}
DOCUMENTS = {
    name: json.dumps({"Version": "2012-10-17", "Statement": statements}) for name, statements in _POLICIES.items()
}
