"""What the caller who sets up asks of AWS, by the resource that it concerns: the identities, and looks at the rest.

All else is done by the identities, whose rights are in `include/infrastructure/identities.yaml`.
"""

from __future__ import annotations

from typing import Any

from include.scones.settings import Settings

ANY = "*"
_HERE = "arn:{partition}:{service}:{region}:{account}:"


def _arn(service: str, resource: str) -> str:
    return _HERE.replace("{service}", service) + resource


# The resources, the service that a passed role is for, and the actions.
ACTIONS: tuple[tuple[str, str, str], ...] = (
    (
        _arn("cloudformation", "stack/{project}-identities/*"),
        "",
        "cloudformation: CreateStack UpdateStack DeleteStack DescribeStackEvents DescribeStackResources",
    ),
    *(
        (
            f"arn:{{partition}}:iam::{{account}}:role/{{project}}-{role}-{{region}}",
            "",
            "iam: CreateRole DeleteRole GetRole TagRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy"
            " PutRolePermissionsBoundary PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies"
            " ListAttachedRolePolicies",
        )
        for role in ("cloudformation", "readers", "workers")
    ),
    *(
        (f"arn:{{partition}}:iam::{{account}}:role/{{project}}-{role}-{{region}}", "", "sts: AssumeRole")
        for role in ("readers", "workers")
    ),
    # What the launcher shows of a run, and lists for a teardown.
    (_arn("cloudformation", "stack/{project}-*/*"), "", "cloudformation: DescribeStacks"),
    ("arn:{partition}:s3:::{bucket}", "", "s3: ListBucket GetBucketTagging"),
    ("arn:{partition}:s3:::{bucket}/reports/capture/*", "", "s3: GetObject"),
    (ANY, "", "s3: ListAllMyBuckets"),
    *(
        (_arn("sagemaker", f"{kind}/{{project}}-*"), "", f"sagemaker: {actions}ListTags")
        for kind, actions in (
            ("training-job", "DescribeTrainingJob "),
            ("model", ""),
            ("endpoint-config", ""),
            ("endpoint", "DescribeEndpoint "),
        )
    ),
    (ANY, "", "sagemaker: ListTrainingJobs ListModels ListEndpointConfigs"),
    (_arn("logs", "log-group:/aws/*/{project}-*"), "", "logs: ListTagsForResource"),
    (_arn("logs", "log-group:/aws/sagemaker/TrainingJobs:log-stream:"), "", "logs: DescribeLogStreams"),
    (_arn("logs", "log-group:/aws/sagemaker/TrainingJobs:log-stream:{project}-*"), "", "logs: GetLogEvents"),
    (ANY, "", "logs: DescribeLogGroups"),
)
# What only `make aws-check` looks at, which says of a row that it may not.
CHECK_ACTIONS: tuple[tuple[str, str, str], ...] = (
    ("arn:{partition}:iam::{account}:*", "", "iam: SimulatePrincipalPolicy GetRole"),
    (ANY, "", "servicequotas: ListServiceQuotas ListAWSDefaultServiceQuotas"),
)
# What `make batch-image` and `make container-image` need besides, and nothing else does.
BATCH_ACTIONS: tuple[tuple[str, str, str], ...] = (
    (
        _arn("cloudformation", "stack/{project}-*/*"),
        "",
        "cloudformation: CreateStack UpdateStack DescribeStacks DescribeStackEvents DescribeStackResources",
    ),
    (
        "arn:{partition}:iam::{account}:role/{project}-cloudformation-{region}",
        "cloudformation.amazonaws.com",
        "iam: PassRole",
    ),
    ("arn:{partition}:s3:::{bucket}", "", "s3: ListBucket"),
    ("arn:{partition}:s3:::{bucket}/code/*", "", "s3: GetObject PutObject"),
    (_arn("logs", "log-group:/aws/sagemaker/Endpoints/{project}-*"), "", "logs: CreateLogGroup PutRetentionPolicy"),
    (_arn("logs", "log-group:/aws/sagemaker/TrainingJobs"), "", "logs: CreateLogGroup PutRetentionPolicy"),
    (
        _arn("ecr", "repository/{project}/*"),
        "",
        "ecr: DescribeRepositories BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart CompleteLayerUpload"
        " PutImage",
    ),
    (ANY, "", "ecr: GetAuthorizationToken"),
)


def patterns(here: Settings, partition: str, resource: str) -> str:
    """The resources' ARN in an account and region, with its wildcards."""
    names = {"region": here.region, "account": here.account, "project": here.project, "bucket": here.bucket}
    return resource.format(partition=partition, **names)


def policy(here: Settings, partition: str, actions: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    """The actions as a policy that allows them and nothing else."""
    statements: list[dict[str, Any]] = []
    for resource, service, asked in actions:
        statement = {
            "Effect": "Allow",
            "Action": spelled(asked),
            "Resource": patterns(here, partition, resource),
        }
        condition = {"Condition": {"StringEquals": {"iam:PassedToService": service}}} if service else {}
        statements.append(statement | condition)
    return {"Version": "2012-10-17", "Statement": statements}


def spelled(actions: str) -> list[str]:
    """The names as IAM writes them."""
    service, _, names = actions.partition(": ")
    return [f"{service}:{name}" for name in names.split()]
