"""What others have in the account: things whose names and tags are much like the project's own."""

from __future__ import annotations

import io
import json
import zipfile

import boto3

from tests.roles import make_role

PROJECT = "scones-unlimited"
BUCKET = f"{PROJECT}-000000000000-us-east-1"


def make_neighbours() -> None:
    tags = [{"Key": "Project", "Value": f"{PROJECT}-two"}]
    role = make_role(boto3.client("iam"), f"{PROJECT}-role")
    make_storage()
    make_machinery(role)
    make_models(role)
    make_stack(tags)
    for group in (f"/aws/lambda/{PROJECT}-classifyImage-old", f"/aws/batch/{PROJECT}-classify2", PROJECT):
        make_log(group, "stream")
    make_log("/aws/sagemaker/TrainingJobs", f"{PROJECT}2-20240101-000000-abcdef/algo-1-1700000000")


def make_storage() -> None:
    s3 = boto3.client("s3")
    for bucket in (f"{BUCKET}-two", PROJECT, "somebody-elses"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="test/kept.png", Body=b"kept")
    s3.put_bucket_tagging(Bucket="somebody-elses", Tagging={"TagSet": [{"Key": "Project", "Value": PROJECT}]})
    boto3.client("ecr").create_repository(repositoryName=f"{PROJECT}/scones-batch-two")


def make_machinery(role: str) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("handler.py", "def handle(event, context):\n    return event\n")
    boto3.client("lambda").create_function(
        FunctionName=f"{PROJECT}-serializeImageData2",
        Runtime="python3.12",
        Handler="handler.handle",
        Role=role,
        Code={"ZipFile": code.getvalue()},
    )
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    boto3.client("stepfunctions").create_state_machine(
        name=f"{PROJECT}-inference-two", definition=definition, roleArn=role
    )
    sns = boto3.client("sns")
    topic = sns.create_topic(Name=f"{PROJECT}-alerts-two", Tags=[{"Key": "Project", "Value": PROJECT}])["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="somebody@example.com")
    boto3.client("sqs").create_queue(QueueName=f"{PROJECT}-failures-two")
    boto3.client("events").put_rule(Name=f"{PROJECT}-inference-FailureRule-two", ScheduleExpression="rate(1 day)")
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=f"{PROJECT}-low-confidence-two",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    widget = {"type": "text", "x": 0, "y": 0, "width": 1, "height": 1, "properties": {"markdown": "x"}}
    cloudwatch.put_dashboard(DashboardName=PROJECT, DashboardBody=json.dumps({"widgets": [widget]}))
    boto3.client("batch").register_job_definition(
        jobDefinitionName=f"{PROJECT}-classify-two",
        type="container",
        containerProperties={
            "image": "somebody/else:1",
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
        },
    )


def make_models(role: str) -> None:
    image = {"Image": "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"}
    mine = [{"Key": "Project", "Value": PROJECT}]
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model(ModelName=f"{PROJECT}-untagged", PrimaryContainer=image, ExecutionRoleArn=role)
    sagemaker.create_model(ModelName="tagged-alone", PrimaryContainer=image, ExecutionRoleArn=role, Tags=mine)
    variant = {"VariantName": "AllTraffic", "ModelName": "tagged-alone", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=f"{PROJECT}-two", ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}]
    )


def make_stack(tags: list[dict[str, str]]) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"{PROJECT}-stacked"}}
    cloudformation = boto3.client("cloudformation")
    name = f"{PROJECT}-inference-two"
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Topic": topic}}), Tags=tags)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def make_log(group: str, stream: str) -> None:
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
