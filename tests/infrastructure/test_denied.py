"""What each identity may do of a list of deeds; all others are denied it, by the policies as they are shipped."""

from __future__ import annotations

import json

import pytest

from tests.conftest import REGION
from tests.infrastructure.asking import ACCOUNT, FOREIGN, HERE, PROJECT, Ask, Identities, ask

pytestmark = pytest.mark.cloud

BUCKET = HERE.bucket
NOTHING = json.dumps({"Version": "2012-10-17", "Statement": []})
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:{PROJECT}-alerts"
QUEUE = f"http://localhost/{ACCOUNT}/{PROJECT}-failures"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{PROJECT}-none"
MINIMAL = json.dumps({"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}})

# Most name something that is not there: it is of interest who is refused, not what comes of it.
DEEDS: dict[str, Ask] = {
    "list the bucket": ask("s3", "list_objects_v2", Bucket=BUCKET),
    "list the data sets": ask("s3", "list_objects_v2", Bucket=BUCKET, Prefix="datasets/0/"),
    "read an image": ask("s3", "get_object", Bucket=BUCKET, Key="datasets/0/a.png"),
    "read a model": ask("s3", "get_object", Bucket=BUCKET, Key="models/m"),
    "read code": ask("s3", "get_object", Bucket=BUCKET, Key="code/c.zip"),
    "read results": ask("s3", "get_object", Bucket=BUCKET, Key="batch/r"),
    "read a report": ask("s3", "get_object", Bucket=BUCKET, Key="reports/capture/r"),
    "read the archive": ask("s3", "get_object", Bucket=BUCKET, Key="raw/archive.tar.gz"),
    "write an image": ask("s3", "put_object", Bucket=BUCKET, Key="datasets/0/b.png"),
    "write a model": ask("s3", "put_object", Bucket=BUCKET, Key="models/n"),
    "write a capture": ask("s3", "put_object", Bucket=BUCKET, Key="data_capture/c"),
    "write code": ask("s3", "put_object", Bucket=BUCKET, Key="code/d.zip"),
    "write results": ask("s3", "put_object", Bucket=BUCKET, Key="batch/s"),
    "delete an image": ask("s3", "delete_object", Bucket=BUCKET, Key="datasets/0/c.png"),
    "delete the bucket": ask("s3", "delete_bucket", Bucket=BUCKET),
    "make a bucket": ask("s3", "create_bucket", Bucket="another-bucket"),
    "list another bucket": ask("s3", "list_objects_v2", Bucket=FOREIGN),
    "read another bucket": ask("s3", "get_object", Bucket=FOREIGN, Key="datasets/0/a.png"),
    "write to another bucket": ask("s3", "put_object", Bucket=FOREIGN, Key="datasets/0/b.png"),
    "make a user": ask("iam", "create_user", UserName="somebody"),
    "make any role": ask("iam", "create_role", RoleName="any", AssumeRolePolicyDocument=NOTHING),
    "make a role of the project's": ask(
        "iam", "put_role_policy", RoleName="ids-none", PolicyName="p", PolicyDocument=NOTHING
    ),
    "change the workers' rights": ask("iam", "delete_role_policy", RoleName=f"ids-workers-{REGION}", PolicyName="none"),
    "change CloudFormation's rights": ask(
        "iam", "delete_role_policy", RoleName=f"ids-cloudformation-{REGION}", PolicyName="none"
    ),
    "become a worker": ask("sts", "assume_role", RoleArn="{WorkersRole}", RoleSessionName="tests"),
    "become CloudFormation": ask("sts", "assume_role", RoleArn="{CloudFormationRole}", RoleSessionName="tests"),
    "describe the workflow": ask("cloudformation", "describe_stacks", StackName=HERE.inference_stack),
    "describe the identities": ask("cloudformation", "describe_stacks", StackName=HERE.identities_stack),
    "change the identities": ask(
        "cloudformation", "update_stack", StackName=HERE.identities_stack, TemplateBody="none"
    ),
    "delete another stack": ask("cloudformation", "delete_stack", StackName="another"),
    "ask the endpoint": ask("sagemaker-runtime", "invoke_endpoint", EndpointName=HERE.endpoint, Body=b"x"),
    "ask another endpoint": ask("sagemaker-runtime", "invoke_endpoint", EndpointName="another", Body=b"x"),
    "describe the endpoint": ask("sagemaker", "describe_endpoint", EndpointName=HERE.endpoint),
    "delete the endpoint": ask("sagemaker", "delete_endpoint", EndpointName=HERE.endpoint),
    "delete another endpoint": ask("sagemaker", "delete_endpoint", EndpointName="another"),
    "delete a model": ask("sagemaker", "delete_model", ModelName="ids-none"),
    "delete another model": ask("sagemaker", "delete_model", ModelName="another"),
    "train with another role": ask(
        "sagemaker",
        "create_model",
        ModelName="ids-none",
        ExecutionRoleArn="{JobRole}",
        PrimaryContainer={"Image": "a/b:1", "ModelDataUrl": f"s3://{BUCKET}/models/none"},
    ),
    "invoke a function": ask("lambda", "invoke", FunctionName="ids-filterInferences"),
    "delete a function": ask("lambda", "delete_function", FunctionName="ids-none"),
    "delete another function": ask("lambda", "delete_function", FunctionName="another"),
    "start an execution": ask("stepfunctions", "start_execution", stateMachineArn=MACHINE),
    "pass the workers' role on": ask(
        "stepfunctions", "create_state_machine", name="ids-machine", definition=MINIMAL, roleArn="{WorkersRole}"
    ),
    "tell the subscribers": ask("sns", "publish", TopicArn=TOPIC, Message="x"),
    "tell another topic": ask("sns", "publish", TopicArn=TOPIC.replace("ids-", "x-"), Message="x"),
    "take failures": ask("sqs", "get_queue_attributes", QueueUrl=QUEUE),
    "submit a job": ask("batch", "submit_job", jobName="x", jobQueue="ids-none", jobDefinition="ids-none"),
    "submit to another queue": ask("batch", "submit_job", jobName="x", jobQueue="another", jobDefinition="ids-none"),
    "delete a log": ask("logs", "delete_log_group", logGroupName="/aws/lambda/ids-none"),
    "delete another log": ask("logs", "delete_log_group", logGroupName="/aws/lambda/another"),
    "sign in to the registry": ask("ecr", "get_authorization_token"),
    "delete an alarm": ask("cloudwatch", "delete_alarms", AlarmNames=["another"]),
    "read secrets": ask("secretsmanager", "list_secrets"),
    "read parameters": ask("ssm", "describe_parameters"),
    "make a key": ask("kms", "create_key"),
    "delete a table": ask("dynamodb", "delete_table", TableName="another"),
}
OBJECTS = {"read an image", "read a model", "read code", "read results", "read a report", "read the archive"}
WRITTEN = {"write an image", "write a model", "write a capture", "write code", "write results", "delete an image"}
LISTED = {"list the bucket", "list the data sets"}
MAY: dict[str, set[str]] = {
    "CloudFormationRole": LISTED
    | {
        "read code",
        "delete the bucket",
        "make a role of the project's",
        "delete a function",
        "take failures",
        "delete a log",
    },
    "WorkersRole": LISTED
    | OBJECTS
    | WRITTEN
    | {"delete the bucket", "describe the workflow", "describe the identities"}
    | {"ask the endpoint", "describe the endpoint", "delete the endpoint", "delete a model"}
    | {"start an execution", "tell the subscribers", "submit a job", "delete a log"},
    "ReadersRole": LISTED | {"read an image", "read a report", "describe the workflow", "describe the endpoint"},
    "TrainingRole": LISTED | {"read an image", "write a model", "sign in to the registry"},
    "ServingRole": LISTED | {"read a model", "write a capture", "sign in to the registry"},
    "SerializeImageDataRole": LISTED | {"read an image", "read results"},
    "ClassifyImageRole": {"ask the endpoint"},
    "FilterInferencesRole": set(),
    "NotifyFailuresRole": {"tell the subscribers", "take failures"},
    "StateMachineRole": {"invoke a function"},
    "ListImagesRole": {"list the data sets", "write results"},
    "ListingRole": set(),
    "ExecutionRole": {"sign in to the registry"},
    "JobRole": LISTED | {"read an image", "read results", "write results", "ask the endpoint"},
    "caller": LISTED
    | {"read a report", "change the workers' rights", "change CloudFormation's rights", "become a worker"}
    | {"describe the workflow", "describe the identities", "change the identities", "describe the endpoint"},
    "check": set(),
    "batch-image": LISTED
    | {"read code", "write code", "describe the workflow", "describe the identities", "sign in to the registry"},
}


def test_every_identity_is_in_the_table(identities: Identities) -> None:
    assert set(identities.roles) == set(MAY), "say in MAY what it may do"


@pytest.mark.parametrize("identity", MAY)
def test_an_identity_may_do_its_own_work_alone(identities: Identities, identity: str) -> None:
    may = {deed for deed, asked in DEEDS.items() if identities.may(identity, asked)}
    assert sorted(may - MAY[identity]) == [], f"{identity} must not"
    assert sorted(MAY[identity] - may) == [], f"{identity} cannot"
    assert len(DEEDS) - len(may) >= 10
