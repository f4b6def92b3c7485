"""Every statement of every role is needed: without it, a request of the workflow's is refused."""

from __future__ import annotations

import pytest

from include.scones.log_groups import TRAINING_JOBS
from tests.conftest import REGION
from tests.infrastructure.asking import ACCOUNT, FOREIGN, HERE, PROJECT, Ask, Identities, ask, simulate
from tests.infrastructure.test_denied import DEEDS, MACHINE, MINIMAL, QUEUE, TOPIC

pytestmark = pytest.mark.cloud

BUCKET = HERE.bucket
SERVED = {"Image": "a/b:1", "ModelDataUrl": f"s3://{BUCKET}/models/none"}
MACHINE_NAME = "ids-inference"


def log(group: str) -> Ask:
    return simulate("logs:CreateLogStream", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:x")


def tags(kind: str) -> Ask:
    return ask("sagemaker", "list_tags", ResourceArn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/ids-none")


def events(stack: str) -> Ask:
    return ask("cloudformation", "describe_stack_events", StackName=stack)


METRIC = ask(
    "cloudwatch",
    "put_metric_data",
    Namespace="/aws/sagemaker/TrainingJobs",
    MetricData=[{"MetricName": "a", "Value": 1}],
)
# What fails without each statement, by its role and name.
NEEDS: dict[str, Ask] = {
    "CloudFormationRole.MakeBucket": DEEDS["list the bucket"],
    "CloudFormationRole.ReadCode": DEEDS["read code"],
    "CloudFormationRole.MakeRoles": DEEDS["make a role of the project's"],
    "CloudFormationRole.KeepRoles": ask("iam", "get_role", RoleName="ids-none"),
    "CloudFormationRole.PassRoles": ask(
        "stepfunctions", "create_state_machine", name="ids-n", definition=MINIMAL, roleArn="{StateMachineRole}"
    ),
    "CloudFormationRole.MakeLogGroups": DEEDS["delete a log"],
    "CloudFormationRole.FindLogGroups": ask("logs", "describe_log_groups"),
    "CloudFormationRole.MakeFunctions": DEEDS["delete a function"],
    "CloudFormationRole.ConnectQueues": simulate("lambda:CreateEventSourceMapping"),
    "CloudFormationRole.MakeStateMachines": ask("stepfunctions", "describe_state_machine", stateMachineArn=MACHINE),
    "CloudFormationRole.MakeAlarms": simulate(
        "cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:ids-a"
    ),
    "CloudFormationRole.MakeBudget": simulate("budgets:ModifyBudget", f"arn:aws:budgets::{ACCOUNT}:budget/ids-monthly"),
    "CloudFormationRole.MakeRules": simulate("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/ids-r"),
    "CloudFormationRole.MakeTopic": ask("sns", "create_topic", Name="ids-alerts"),
    "CloudFormationRole.MakeQueues": DEEDS["take failures"],
    "CloudFormationRole.MakeRepositories": simulate(
        "ecr:CreateRepository", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/ids/scones-batch"
    ),
    "CloudFormationRole.MakeQueuesOfJobs": ask("batch", "delete_job_queue", jobQueue="ids-none"),
    "CloudFormationRole.FindQueuesOfJobs": ask("batch", "describe_job_queues"),
    "CloudFormationRole.LetBatchWork": simulate(
        "iam:CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/batch.amazonaws.com/a"
    ),
    "CloudFormationRole.MakeNetwork": simulate("ec2:CreateVpc"),
    "WorkersRole.DeployStacks": DEEDS["describe the workflow"],
    "WorkersRole.FindCloudFormationRole": DEEDS["describe the identities"],
    "WorkersRole.PassCloudFormationRole": ask(
        "cloudformation",
        "update_stack",
        StackName=HERE.batch_stack,
        TemplateBody="none",
        RoleARN="{CloudFormationRole}",
    ),
    "WorkersRole.PassSageMakerRoles": ask(
        "sagemaker", "create_model", ModelName="ids-n", ExecutionRoleArn="{ServingRole}", PrimaryContainer=SERVED
    ),
    "WorkersRole.FindObjects": DEEDS["list the bucket"],
    "WorkersRole.KeepObjects": DEEDS["write an image"],
    "WorkersRole.EmptyBucket": ask("s3", "get_bucket_tagging", Bucket=BUCKET),
    "WorkersRole.DeleteVersions": simulate("s3:DeleteObjectVersion", f"arn:aws:s3:::{BUCKET}/a"),
    "WorkersRole.TellOwnBuckets": ask("s3", "list_buckets"),
    "WorkersRole.ReadArchive": ask("s3", "get_object", Bucket=FOREIGN, Key="archive.tar.gz"),
    "WorkersRole.Train": ask("sagemaker", "stop_training_job", TrainingJobName="ids-none"),
    "WorkersRole.KeepModels": DEEDS["delete a model"],
    "WorkersRole.Serve": DEEDS["ask the endpoint"],
    "WorkersRole.ListModels": ask("sagemaker", "list_models"),
    "WorkersRole.StartExecutions": DEEDS["start an execution"],
    "WorkersRole.FollowExecutions": ask(
        "stepfunctions", "describe_execution", executionArn=MACHINE.replace(":stateMachine:", ":execution:") + ":x"
    ),
    "WorkersRole.Tell": ask("sns", "publish", TopicArn=TOPIC, Message="x"),
    "WorkersRole.PublishMetrics": ask(
        "cloudwatch", "put_metric_data", Namespace="Scones/Capture", MetricData=[{"MetricName": "x", "Value": 1}]
    ),
    "WorkersRole.SubmitJobs": DEEDS["submit a job"],
    "WorkersRole.FollowJobs": ask("batch", "describe_jobs", jobs=["none"]),
    "WorkersRole.SwitchAlarms": ask("cloudwatch", "disable_alarm_actions", AlarmNames=["ids-idle-endpoint"]),
    "WorkersRole.ScaleEndpoint": ask(
        "application-autoscaling",
        "deregister_scalable_target",
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{HERE.endpoint}/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
    ),
    "WorkersRole.LetEndpointScale": simulate(
        "iam:CreateServiceLinkedRole",
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/a",
    ),
    "WorkersRole.KeepLogs": DEEDS["delete a log"],
    "WorkersRole.KeepTrainingLogs": ask("logs", "describe_log_streams", logGroupName=TRAINING_JOBS),
    "WorkersRole.FindLogGroups": ask("logs", "describe_log_groups"),
    "ReadersRole.FindObjects": DEEDS["list the bucket"],
    "ReadersRole.ReadObjects": DEEDS["read a report"],
    "ReadersRole.DescribeStack": DEEDS["describe the workflow"],
    "ReadersRole.DescribeEndpoint": DEEDS["describe the endpoint"],
    "TrainingRole.FindObjects": DEEDS["list the data sets"],
    "TrainingRole.ReadImages": DEEDS["read an image"],
    "TrainingRole.WriteModels": DEEDS["write a model"],
    "TrainingRole.WriteLogs": log("/aws/sagemaker/TrainingJobs"),
    "TrainingRole.WriteMetrics": METRIC,
    "TrainingRole.SignInToRegistry": DEEDS["sign in to the registry"],
    "TrainingRole.PullAlgorithm": simulate(
        "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:811284229777:repository/image-classification"
    ),
    "ServingRole.LookAtAlarms": ask("cloudwatch", "describe_alarms", AlarmNames=["ids-endpoint-errors"]),
    "ServingRole.FindObjects": DEEDS["list the bucket"],
    "ServingRole.ReadModels": DEEDS["read a model"],
    "ServingRole.WriteCaptures": DEEDS["write a capture"],
    "ServingRole.WriteLogs": log(f"/aws/sagemaker/Endpoints/{HERE.endpoint}"),
    "ServingRole.WriteMetrics": METRIC,
    "ServingRole.SignInToRegistry": DEEDS["sign in to the registry"],
    "ServingRole.PullAlgorithm": simulate(
        "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:811284229777:repository/image-classification"
    ),
    "SerializeImageDataRole.ReadImages": DEEDS["read an image"],
    "SerializeImageDataRole.TellMissingImages": DEEDS["list the bucket"],
    "SerializeImageDataRole.WriteLogs": log("/aws/lambda/ids-serializeImageData"),
    "ClassifyImageRole.InvokeEndpoint": DEEDS["ask the endpoint"],
    "ClassifyImageRole.WriteLogs": log("/aws/lambda/ids-classifyImage"),
    "FilterInferencesRole.WriteLogs": log("/aws/lambda/ids-filterInferences"),
    "StateMachineRole.InvokeFunctions": DEEDS["invoke a function"],
    "StateMachineRole.DeliverLogs": ask("logs", "describe_log_groups"),
    "NotifyFailuresRole.TakeFailures": ask("sqs", "receive_message", QueueUrl=QUEUE),
    "NotifyFailuresRole.DescribeExecutions": ask(
        "stepfunctions",
        "describe_execution",
        executionArn=f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{MACHINE_NAME}:x",
    ),
    "NotifyFailuresRole.TellSubscribers": DEEDS["tell the subscribers"],
    "NotifyFailuresRole.WriteLogs": log("/aws/lambda/ids-notifyFailures"),
    "ListImagesRole.ListFolders": DEEDS["list the data sets"],
    "ListImagesRole.WriteManifests": DEEDS["write results"],
    "ListImagesRole.WriteLogs": log("/aws/lambda/ids-listImages"),
    "ListingRole.InvokeFunction": ask("lambda", "invoke", FunctionName="ids-listImages"),
    "ExecutionRole.SignInToRegistry": DEEDS["sign in to the registry"],
    "ExecutionRole.PullImage": simulate(
        "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/ids/scones-batch"
    ),
    "ExecutionRole.WriteLogs": log("/aws/batch/ids-classify"),
    "JobRole.ReadImages": DEEDS["read an image"],
    "JobRole.KeepResults": DEEDS["write results"],
    "JobRole.TellMissingObjects": DEEDS["list the bucket"],
    "JobRole.InvokeEndpoint": DEEDS["ask the endpoint"],
    "caller.MakeIdentities": DEEDS["change the identities"],
    **{
        f"caller.Make{role.title()}Role": ask("iam", "list_role_policies", RoleName=f"{PROJECT}-{role}-{REGION}")
        for role in ("cloudformation", "readers", "workers")
    },
    "caller.BecomeReaders": ask("sts", "assume_role", RoleArn="{ReadersRole}", RoleSessionName="tests"),
    "caller.BecomeWorkers": DEEDS["become a worker"],
    "caller.DescribeStacks": DEEDS["describe the workflow"],
    "caller.LookAtBucket": DEEDS["list the bucket"],
    "caller.ReadReports": DEEDS["read a report"],
    "caller.TellOwnBuckets": ask("s3", "list_buckets"),
    "caller.FollowTraining": ask("sagemaker", "describe_training_job", TrainingJobName="ids-none"),
    "caller.TellOwnModels": tags("model"),
    "caller.TellOwnConfigs": tags("endpoint-config"),
    "caller.FollowEndpoint": DEEDS["describe the endpoint"],
    "caller.ListModels": ask("sagemaker", "list_models"),
    "caller.TellOwnLogs": ask(
        "logs",
        "list_tags_for_resource",
        resourceArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/ids-filterInferences",
    ),
    "caller.FindTrainingLogs": ask("logs", "describe_log_streams", logGroupName=TRAINING_JOBS),
    "caller.ReadTrainingLogs": ask(
        "logs", "get_log_events", logGroupName=TRAINING_JOBS, logStreamName="ids-none/algo-1-1"
    ),
    "caller.FindLogGroups": ask("logs", "describe_log_groups"),
    "check.SimulateRights": ask("iam", "get_role", RoleName="ids-none"),
    "check.ListQuotas": simulate("servicequotas:ListServiceQuotas"),
    "batch-image.DeployFoundationStack": events(HERE.foundation_stack),
    "batch-image.DeployBatchStack": events(HERE.batch_stack),
    "batch-image.DescribeStacks": DEEDS["describe the workflow"],
    "batch-image.PassCloudFormationRole": ask(
        "cloudformation",
        "update_stack",
        StackName=HERE.batch_stack,
        TemplateBody="none",
        RoleARN="{CloudFormationRole}",
    ),
    "batch-image.FindCode": DEEDS["list the bucket"],
    "batch-image.KeepCode": DEEDS["write code"],
    "batch-image.KeepEndpointLogs": ask(
        "logs", "put_retention_policy", logGroupName=f"/aws/sagemaker/Endpoints/{PROJECT}-none", retentionInDays=1
    ),
    "batch-image.KeepTrainingLogs": ask("logs", "put_retention_policy", logGroupName=TRAINING_JOBS, retentionInDays=30),
    "batch-image.PushImages": ask("ecr", "describe_repositories", repositoryNames=[f"{PROJECT}/none"]),
    "batch-image.SignInToRegistry": DEEDS["sign in to the registry"],
}
# What the statement forbids, and would be allowed without it.
FORBIDS = {"CloudFormationRole.LeaveIdentities": DEEDS["change the workers' rights"]}


def test_every_statement_is_in_a_table(identities: Identities) -> None:
    there = {f"{role}.{statement['Sid']}" for role in identities.roles for statement in identities.statements(role)}
    known = {*NEEDS, *FORBIDS}
    assert sorted(there - known) == [], "say in NEEDS which request fails without it"
    assert sorted(known - there) == [], "no role has it"


@pytest.mark.parametrize("name", NEEDS)
def test_without_the_statement_its_request_is_refused(identities: Identities, name: str) -> None:
    role, _, sid = name.partition(".")
    asked = NEEDS[name]
    with identities.without(role, sid):
        assert not identities.may(role, asked), f"{name} is not needed for {asked}"
    assert identities.may(role, asked), f"{name} does not let {asked}"


@pytest.mark.parametrize("name", FORBIDS)
def test_without_the_denial_its_request_is_let(identities: Identities, name: str) -> None:
    role, _, sid = name.partition(".")
    with identities.without(role, sid):
        assert identities.may(role, FORBIDS[name])
    assert not identities.may(role, FORBIDS[name])
