"""What the project's callers, Airflow's tasks, ask of AWS, by the resource that it concerns, stacks included.

CloudFormation makes a stack's resources with the rights of who asks for the stack.
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
        _arn("cloudformation", "stack/{project}-*/*"),
        "",
        "cloudformation: CreateStack UpdateStack DeleteStack DescribeStacks DescribeStackEvents"
        " DescribeStackResources GetTemplate",
    ),
    (
        "arn:{partition}:s3:::{bucket}",
        "",
        "s3: CreateBucket DeleteBucket ListBucket ListBucketVersions ListBucketMultipartUploads GetBucketTagging"
        " PutBucketTagging PutBucketPolicy GetBucketPolicy DeleteBucketPolicy PutBucketPublicAccessBlock"
        " PutBucketOwnershipControls PutEncryptionConfiguration PutLifecycleConfiguration",
    ),
    (
        "arn:{partition}:s3:::{bucket}/*",
        "",
        "s3: GetObject PutObject DeleteObject DeleteObjectVersion AbortMultipartUpload",
    ),
    (
        "arn:{partition}:iam::{account}:role/{project}-*",
        "",
        "iam: CreateRole DeleteRole GetRole TagRole PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies"
        " ListAttachedRolePolicies",
    ),
    *(
        ("arn:{partition}:iam::{account}:role/{project}-*", f"{service}.amazonaws.com", "iam: PassRole")
        for service in ("sagemaker", "lambda", "states", "ecs-tasks")
    ),
    (
        _arn("sagemaker", "training-job/{project}-*"),
        "",
        "sagemaker: CreateTrainingJob DescribeTrainingJob StopTrainingJob AddTags ListTags",
    ),
    (_arn("sagemaker", "model/{project}-*"), "", "sagemaker: CreateModel DescribeModel DeleteModel AddTags ListTags"),
    (
        _arn("sagemaker", "endpoint-config/{project}-*"),
        "",
        "sagemaker: CreateEndpointConfig DescribeEndpointConfig DeleteEndpointConfig AddTags ListTags",
    ),
    (
        _arn("sagemaker", "endpoint/{project}-endpoint"),
        "",
        "sagemaker: CreateEndpoint UpdateEndpoint DescribeEndpoint DeleteEndpoint InvokeEndpoint AddTags ListTags",
    ),
    (ANY, "", "sagemaker: ListTrainingJobs ListModels ListEndpointConfigs"),
    (
        _arn("lambda", "function:{project}-*"),
        "",
        "lambda: CreateFunction GetFunction UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction"
        " PutFunctionConcurrency TagResource ListTags",
    ),
    (
        ANY,
        "",
        "lambda: CreateEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping",
    ),
    (
        _arn("states", "stateMachine:{project}-*"),
        "",
        "states: CreateStateMachine DescribeStateMachine UpdateStateMachine DeleteStateMachine TagResource"
        " StartExecution",
    ),
    (
        _arn("states", "execution:{project}-*"),
        "",
        "states: DescribeExecution GetExecutionHistory StopExecution",
    ),
    (
        _arn("logs", "log-group:/aws/*/{project}-*"),
        "",
        "logs: CreateLogGroup DeleteLogGroup PutRetentionPolicy TagResource ListTagsForResource",
    ),
    (
        _arn("logs", "log-group:/aws/sagemaker/TrainingJobs:log-stream:{project}-*"),
        "",
        "logs: DescribeLogStreams GetLogEvents DeleteLogStream",
    ),
    (
        _arn("cloudwatch", "alarm:{project}-*"),
        "",
        "cloudwatch: PutMetricAlarm DescribeAlarms DeleteAlarms EnableAlarmActions DisableAlarmActions",
    ),
    (ANY, "", "cloudwatch: PutMetricData"),
    (ANY, "", "logs: DescribeLogGroups"),
    (ANY, "", "s3: ListAllMyBuckets"),
    (
        _arn("events", "rule/{project}-*"),
        "",
        "events: PutRule DescribeRule DeleteRule PutTargets RemoveTargets",
    ),
    (
        _arn("sns", "{project}-*"),
        "",
        "sns: CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes Subscribe ListSubscriptionsByTopic Publish"
        " TagResource",
    ),
    (
        _arn("sqs", "{project}-*"),
        "",
        "sqs: CreateQueue DeleteQueue GetQueueAttributes SetQueueAttributes TagQueue",
    ),
    (
        _arn("ecr", "repository/{project}/*"),
        "",
        "ecr: CreateRepository DeleteRepository DescribeRepositories PutLifecyclePolicy TagResource"
        " BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart CompleteLayerUpload PutImage",
    ),
    (ANY, "", "ecr: GetAuthorizationToken"),
)
# What batch_inference needs besides, and nothing else does.
BATCH_ACTIONS: tuple[tuple[str, str, str], ...] = (
    (
        ANY,
        "",
        "batch: CreateComputeEnvironment UpdateComputeEnvironment DeleteComputeEnvironment CreateJobQueue"
        " UpdateJobQueue DeleteJobQueue RegisterJobDefinition DeregisterJobDefinition DescribeComputeEnvironments"
        " DescribeJobQueues DescribeJobDefinitions SubmitJob DescribeJobs ListJobs TerminateJob TagResource",
    ),
    (
        ANY,
        "",
        "ec2: CreateVpc DeleteVpc DescribeVpcs ModifyVpcAttribute CreateSubnet DeleteSubnet DescribeSubnets"
        " CreateInternetGateway AttachInternetGateway DetachInternetGateway DeleteInternetGateway CreateRouteTable"
        " AssociateRouteTable DisassociateRouteTable DeleteRouteTable CreateRoute DeleteRoute CreateSecurityGroup"
        " AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress DeleteSecurityGroup DescribeSecurityGroups CreateTags",
    ),
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
