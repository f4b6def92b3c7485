"""Which calls CloudFormation's handlers make for a resource of a stack, by its properties.

It has the types of the project's templates, from what AWS's provider schemas list as ever called (see `stack_judge`).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """`calls` are asked at every create, update and delete; `having` for a property: when it is set, and when removed.

    `arn` is what comes after `arn:aws:`, `name` the property that names the resource. Calls with a star: on `*`.
    """

    service: str
    arn: str
    name: str
    create: str
    update: str
    delete: str
    having: dict[str, tuple[str, str]] = field(default_factory=dict)


_HERE = "{region}:{account}"


def _ec2(
    kind: str,
    create: str,
    delete: str,
    describe: str,
    update: str = "",
    name: str = "",
    having: dict[str, tuple[str, str]] | None = None,
) -> Kind:
    seen, tags = f" *{describe}", {"Tags": ("CreateTags", "DeleteTags")}
    arn = f"ec2:{_HERE}:{kind}/{{name}}"
    return Kind("ec2", arn, name, create + seen, update + seen, delete + seen, tags | (having or {}))


KINDS = {
    "AWS::IAM::Role": Kind(
        *("iam", "iam::{account}:role{path}{name}", "RoleName", "CreateRole GetRole", "GetRole"),
        "DeleteRole GetRole ListRolePolicies ListAttachedRolePolicies",
        {
            "AssumeRolePolicyDocument": ("UpdateAssumeRolePolicy", ""),
            "Policies": ("PutRolePolicy", "DeleteRolePolicy"),
            "ManagedPolicyArns": ("AttachRolePolicy", "DetachRolePolicy"),
            "PermissionsBoundary": ("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
            "Description": ("UpdateRole", "UpdateRole"),
            "MaxSessionDuration": ("UpdateRole", "UpdateRole"),
            "Tags": ("TagRole", "UntagRole"),
        },
    ),
    "AWS::IAM::Policy": Kind(
        "iam", "iam::{account}:role/{name}", "Roles", "PutRolePolicy", "PutRolePolicy", "DeleteRolePolicy GetRolePolicy"
    ),
    "AWS::Lambda::Function": Kind(
        *("lambda", f"lambda:{_HERE}:function:{{name}}", "FunctionName", "CreateFunction GetFunction", "GetFunction"),
        "DeleteFunction GetFunction",
        {
            "Code": ("UpdateFunctionCode", ""),
            **dict.fromkeys(
                ("Role", "Handler", "Runtime", "Timeout", "MemorySize", "Environment", "Description", "LoggingConfig"),
                ("UpdateFunctionConfiguration", "UpdateFunctionConfiguration"),
            ),
            "ReservedConcurrentExecutions": ("PutFunctionConcurrency", "DeleteFunctionConcurrency"),
            "Tags": ("TagResource", "UntagResource"),
        },
    ),
    "AWS::Lambda::EventSourceMapping": Kind(
        *("lambda", "*", "", "CreateEventSourceMapping GetEventSourceMapping"),
        *("UpdateEventSourceMapping GetEventSourceMapping", "DeleteEventSourceMapping GetEventSourceMapping"),
    ),
    "AWS::Logs::LogGroup": Kind(
        *("logs", f"logs:{_HERE}:log-group:{{name}}:log-stream:", "LogGroupName"),
        *("CreateLogGroup *DescribeLogGroups", "*DescribeLogGroups", "DeleteLogGroup *DescribeLogGroups"),
        {
            "RetentionInDays": ("PutRetentionPolicy", "DeleteRetentionPolicy"),
            "KmsKeyId": ("AssociateKmsKey", "DisassociateKmsKey"),
            "Tags": ("TagResource", "UntagResource"),
        },
    ),
    "AWS::StepFunctions::StateMachine": Kind(
        *("states", f"states:{_HERE}:stateMachine:{{name}}", "StateMachineName"),
        *("CreateStateMachine DescribeStateMachine", "UpdateStateMachine DescribeStateMachine"),
        *("DeleteStateMachine DescribeStateMachine", {"Tags": ("TagResource", "UntagResource")}),
    ),
    "AWS::SNS::Topic": Kind(
        *("sns", f"sns:{_HERE}:{{name}}", "TopicName", "CreateTopic GetTopicAttributes", "GetTopicAttributes"),
        "DeleteTopic GetTopicAttributes",
        {
            "Subscription": ("Subscribe", "Unsubscribe"),
            "KmsMasterKeyId": ("SetTopicAttributes", "SetTopicAttributes"),
            "DisplayName": ("SetTopicAttributes", "SetTopicAttributes"),
            "Tags": ("TagResource", "UntagResource"),
        },
    ),
    "AWS::SNS::TopicPolicy": Kind(
        "sns", f"sns:{_HERE}:{{name}}", "Topics", "SetTopicAttributes", "SetTopicAttributes", "SetTopicAttributes"
    ),
    "AWS::SQS::Queue": Kind(
        *("sqs", f"sqs:{_HERE}:{{name}}", "QueueName", "CreateQueue GetQueueAttributes"),
        *("SetQueueAttributes GetQueueAttributes", "DeleteQueue GetQueueAttributes"),
        {"Tags": ("TagQueue", "UntagQueue")},
    ),
    "AWS::SQS::QueuePolicy": Kind(
        "sqs", f"sqs:{_HERE}:{{name}}", "Queues", "SetQueueAttributes", "SetQueueAttributes", "SetQueueAttributes"
    ),
    "AWS::Events::Rule": Kind(
        *("events", f"events:{_HERE}:rule/{{name}}", "Name", "PutRule DescribeRule", "PutRule DescribeRule"),
        "DeleteRule DescribeRule ListTargetsByRule",
        {"Targets": ("PutTargets", "RemoveTargets"), "Tags": ("TagResource", "UntagResource")},
    ),
    "AWS::CloudWatch::Alarm": Kind(
        *("cloudwatch", f"cloudwatch:{_HERE}:alarm:{{name}}", "AlarmName", "PutMetricAlarm DescribeAlarms"),
        *("PutMetricAlarm DescribeAlarms", "DeleteAlarms DescribeAlarms", {"Tags": ("TagResource", "UntagResource")}),
    ),
    "AWS::S3::Bucket": Kind(
        *("s3", "s3:::{name}", "BucketName", "CreateBucket", "", "DeleteBucket"),
        {
            "BucketEncryption": ("PutEncryptionConfiguration", "PutEncryptionConfiguration"),
            "LifecycleConfiguration": ("PutLifecycleConfiguration", "PutLifecycleConfiguration"),
            "OwnershipControls": ("PutBucketOwnershipControls", "PutBucketOwnershipControls"),
            "PublicAccessBlockConfiguration": ("PutBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
            "VersioningConfiguration": ("PutBucketVersioning", "PutBucketVersioning"),
            "NotificationConfiguration": ("PutBucketNotification", "PutBucketNotification"),
            "LoggingConfiguration": ("PutBucketLogging", "PutBucketLogging"),
            "Tags": ("PutBucketTagging", "PutBucketTagging"),
        },
    ),
    "AWS::S3::BucketPolicy": Kind(
        *("s3", "s3:::{name}", "Bucket", "PutBucketPolicy GetBucketPolicy", "PutBucketPolicy GetBucketPolicy"),
        "DeleteBucketPolicy GetBucketPolicy",
    ),
    "AWS::ECR::Repository": Kind(
        *("ecr", f"ecr:{_HERE}:repository/{{name}}", "RepositoryName", "CreateRepository", "DescribeRepositories"),
        "DeleteRepository",
        {
            "LifecyclePolicy": ("PutLifecyclePolicy", "DeleteLifecyclePolicy"),
            "RepositoryPolicyText": ("SetRepositoryPolicy", "DeleteRepositoryPolicy"),
            "Tags": ("TagResource", "UntagResource"),
        },
    ),
    "AWS::Batch::ComputeEnvironment": Kind(
        *("batch", f"batch:{_HERE}:compute-environment/{{name}}", "ComputeEnvironmentName"),
        *("CreateComputeEnvironment *DescribeComputeEnvironments", "UpdateComputeEnvironment"),
        "UpdateComputeEnvironment DeleteComputeEnvironment *DescribeComputeEnvironments",
        {"Tags": ("TagResource", "UntagResource")},
    ),
    "AWS::Batch::JobQueue": Kind(
        *("batch", f"batch:{_HERE}:job-queue/{{name}}", "JobQueueName", "CreateJobQueue *DescribeJobQueues"),
        *("UpdateJobQueue *DescribeJobQueues", "UpdateJobQueue DeleteJobQueue *DescribeJobQueues"),
        {"Tags": ("TagResource", "UntagResource")},
    ),
    "AWS::Batch::JobDefinition": Kind(
        *("batch", f"batch:{_HERE}:job-definition/{{name}}", "JobDefinitionName"),
        *("RegisterJobDefinition *DescribeJobDefinitions", "RegisterJobDefinition *DescribeJobDefinitions"),
        *("DeregisterJobDefinition *DescribeJobDefinitions", {"Tags": ("TagResource", "UntagResource")}),
    ),
    "AWS::EC2::VPC": _ec2("vpc", "CreateVpc ModifyVpcAttribute", "DeleteVpc", "DescribeVpcs", "ModifyVpcAttribute"),
    "AWS::EC2::Subnet": _ec2(
        "subnet", "CreateSubnet ModifySubnetAttribute", "DeleteSubnet", "DescribeSubnets", "ModifySubnetAttribute"
    ),
    "AWS::EC2::InternetGateway": _ec2(
        "internet-gateway", "CreateInternetGateway", "DeleteInternetGateway", "DescribeInternetGateways"
    ),
    "AWS::EC2::VPCGatewayAttachment": _ec2(
        "vpc", "AttachInternetGateway", "DetachInternetGateway", "DescribeInternetGateways", "", "VpcId"
    ),
    "AWS::EC2::RouteTable": _ec2("route-table", "CreateRouteTable", "DeleteRouteTable", "DescribeRouteTables"),
    "AWS::EC2::Route": _ec2(
        "route-table", "CreateRoute", "DeleteRoute", "DescribeRouteTables", "ReplaceRoute", "RouteTableId"
    ),
    "AWS::EC2::SubnetRouteTableAssociation": _ec2(
        "route-table", "AssociateRouteTable", "DisassociateRouteTable", "DescribeRouteTables", "", "RouteTableId"
    ),
    "AWS::EC2::SecurityGroup": _ec2(
        *("security-group", "CreateSecurityGroup", "DeleteSecurityGroup", "DescribeSecurityGroups"),
        having={
            "SecurityGroupEgress": ("AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"),
            "SecurityGroupIngress": ("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"),
        },
    ),
    "AWS::EC2::VPCEndpoint": _ec2(
        "vpc-endpoint", "CreateVpcEndpoint", "DeleteVpcEndpoints", "DescribeVpcEndpoints", "ModifyVpcEndpoint"
    ),
}

# Properties that hand a role on, and the service that gets it.
PASSED = {
    "AWS::Lambda::Function": {"Role": "lambda.amazonaws.com"},
    "AWS::StepFunctions::StateMachine": {"RoleArn": "states.amazonaws.com"},
    "AWS::Events::Rule": {"RoleArn": "events.amazonaws.com", "Targets.RoleArn": "events.amazonaws.com"},
    "AWS::Batch::ComputeEnvironment": {"ServiceRole": "batch.amazonaws.com"},
    "AWS::Batch::JobDefinition": {
        "ContainerProperties.JobRoleArn": "ecs-tasks.amazonaws.com",
        "ContainerProperties.ExecutionRoleArn": "ecs-tasks.amazonaws.com",
    },
}
# Properties that name an object of S3, which is read.
READ = {
    "AWS::Lambda::Function": ("Code", "S3Bucket", "S3Key"),
    "AWS::StepFunctions::StateMachine": ("DefinitionS3Location", "Bucket", "Key"),
}
