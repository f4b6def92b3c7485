"""What the caller who sets up asks of AWS, by the resource that it concerns: the identities, and looks at the rest.

All else is done by the identities, whose rights are in `include/infrastructure/identities.yaml`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from include.scones.settings import Settings

ANY = "*"
_HERE = "arn:{partition}:{service}:{region}:{account}:"


def _arn(service: str, resource: str) -> str:
    return _HERE.replace("{service}", service) + resource


class Right(NamedTuple):
    """One statement: its name, the resource, the actions after their service, and whom a passed role is for."""

    name: str
    resource: str
    actions: str
    service: str = ""


def _role(name: str) -> str:
    return f"arn:{{partition}}:iam::{{account}}:role/{{project}}-{name}-{{region}}"


ACTIONS: tuple[Right, ...] = (
    Right(
        "MakeIdentities",
        _arn("cloudformation", "stack/{project}-identities/*"),
        "cloudformation: CreateStack UpdateStack DeleteStack DescribeStackEvents DescribeStackResources",
    ),
    *(
        Right(
            f"Make{role.title()}Role",
            _role(role),
            "iam: CreateRole DeleteRole GetRole TagRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy"
            " PutRolePermissionsBoundary PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies"
            " ListAttachedRolePolicies",
        )
        for role in ("cloudformation", "readers", "workers")
    ),
    *(Right(f"Become{role.title()}", _role(role), "sts: AssumeRole") for role in ("readers", "workers")),
    # What the launcher shows of a run, and lists for a teardown.
    Right("DescribeStacks", _arn("cloudformation", "stack/{project}-*/*"), "cloudformation: DescribeStacks"),
    Right("LookAtBucket", "arn:{partition}:s3:::{bucket}", "s3: ListBucket GetBucketTagging"),
    Right("ReadReports", "arn:{partition}:s3:::{bucket}/reports/capture/*", "s3: GetObject"),
    Right("TellOwnBuckets", ANY, "s3: ListAllMyBuckets"),
    *(
        Right(name, _arn("sagemaker", f"{kind}/{{project}}-*"), f"sagemaker: {actions}ListTags")
        for name, kind, actions in (
            ("FollowTraining", "training-job", "DescribeTrainingJob "),
            ("TellOwnModels", "model", ""),
            ("TellOwnConfigs", "endpoint-config", ""),
            ("FollowEndpoint", "endpoint", "DescribeEndpoint "),
        )
    ),
    Right("ListModels", ANY, "sagemaker: ListTrainingJobs ListModels ListEndpointConfigs"),
    Right("TellOwnLogs", _arn("logs", "log-group:/aws/*/{project}-*"), "logs: ListTagsForResource"),
    Right(
        "FindTrainingLogs",
        _arn("logs", "log-group:/aws/sagemaker/TrainingJobs:log-stream:"),
        "logs: DescribeLogStreams",
    ),
    Right(
        "ReadTrainingLogs",
        _arn("logs", "log-group:/aws/sagemaker/TrainingJobs:log-stream:{project}-*"),
        "logs: GetLogEvents",
    ),
    Right("FindLogGroups", ANY, "logs: DescribeLogGroups"),
)
# What only `make aws-check` looks at, which says of a row that it may not.
CHECK_ACTIONS: tuple[Right, ...] = (
    Right("SimulateRights", "arn:{partition}:iam::{account}:*", "iam: SimulatePrincipalPolicy GetRole"),
    Right("ListQuotas", ANY, "servicequotas: ListServiceQuotas ListAWSDefaultServiceQuotas"),
)
# What `make batch-image` and `make container-image` need besides, and nothing else does.
BATCH_ACTIONS: tuple[Right, ...] = (
    *(
        Right(
            f"Deploy{stack.title()}Stack",
            _arn("cloudformation", f"stack/{{project}}-{stack}/*"),
            "cloudformation: CreateStack UpdateStack DescribeStackEvents DescribeStackResources",
        )
        for stack in ("foundation", "batch")
    ),
    Right("DescribeStacks", _arn("cloudformation", "stack/{project}-*/*"), "cloudformation: DescribeStacks"),
    Right("PassCloudFormationRole", _role("cloudformation"), "iam: PassRole", "cloudformation.amazonaws.com"),
    Right("FindCode", "arn:{partition}:s3:::{bucket}", "s3: ListBucket"),
    Right("KeepCode", "arn:{partition}:s3:::{bucket}/code/*", "s3: GetObject PutObject"),
    Right(
        "KeepEndpointLogs",
        _arn("logs", "log-group:/aws/sagemaker/Endpoints/{project}-*"),
        "logs: CreateLogGroup PutRetentionPolicy",
    ),
    Right(
        "KeepTrainingLogs",
        _arn("logs", "log-group:/aws/sagemaker/TrainingJobs:*"),
        "logs: CreateLogGroup PutRetentionPolicy",
    ),
    Right(
        "PushImages",
        _arn("ecr", "repository/{project}/*"),
        "ecr: DescribeRepositories BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart CompleteLayerUpload"
        " PutImage",
    ),
    Right("SignInToRegistry", ANY, "ecr: GetAuthorizationToken"),
)
# As `make aws-policy` prints them.
CALLERS = {"caller": ACTIONS, "check": CHECK_ACTIONS, "batch-image": BATCH_ACTIONS}


def patterns(here: Settings, partition: str, resource: str) -> str:
    """The resources' ARN in an account and region, with its wildcards."""
    names = {"region": here.region, "account": here.account, "project": here.project, "bucket": here.bucket}
    return resource.format(partition=partition, **names)


def policy(here: Settings, partition: str, rights: tuple[Right, ...]) -> dict[str, Any]:
    """The actions as a policy that allows them and nothing else."""
    statements: list[dict[str, Any]] = []
    for right in rights:
        statement = {
            "Sid": right.name,
            "Effect": "Allow",
            "Action": spelled(right.actions),
            "Resource": patterns(here, partition, right.resource),
        }
        condition = {"Condition": {"StringEquals": {"iam:PassedToService": right.service}}} if right.service else {}
        statements.append(statement | condition)
    return {"Version": "2012-10-17", "Statement": statements}


def spelled(actions: str) -> list[str]:
    """The names as IAM writes them."""
    service, _, names = actions.partition(": ")
    return [f"{service}:{name}" for name in names.split()]
