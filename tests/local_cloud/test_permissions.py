"""IAM: what callers may do with each service, and which roles services may assume."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import BUCKET, refusal, training_request, unique
from tests.local_cloud.functions import CODE, execute, package
from tests.local_cloud.identities import policy, role, user
from tests.waiting import eventually

pytestmark = pytest.mark.system

ACCOUNT = "000000000000"
SAGEMAKER, BATCH = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}", f"arn:aws:batch:{REGION}:{ACCOUNT}"
DEFINITION = json.dumps({"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}})


@pytest.fixture(scope="module")
def nobody(cloud: Cloud) -> Callable[[str], Any]:
    return user(cloud, policy(("Allow", "s3:*", "*")))


@pytest.fixture(scope="module")
def somebody(cloud: Cloud) -> Callable[[str], Any]:
    return user(cloud, policy(*(("Allow", action, "*") for action in sorted({action_of(*call[:2]) for call in CALLS}))))


def action_of(service: str, operation: str) -> str:
    return f"{service.partition('-')[0]}:{operation}"


def denied(action: str, resource: str) -> str:
    return (
        f"is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


CALLS: list[tuple[str, str, str, dict[str, Any], str]] = [
    (
        "sagemaker",
        "DescribeTrainingJob",
        "describe_training_job",
        {"TrainingJobName": "x"},
        f"{SAGEMAKER}:training-job/x",
    ),
    ("sagemaker", "StopTrainingJob", "stop_training_job", {"TrainingJobName": "x"}, f"{SAGEMAKER}:training-job/x"),
    ("sagemaker", "ListModels", "list_models", {}, "*"),
    ("sagemaker", "DeleteModel", "delete_model", {"ModelName": "x"}, f"{SAGEMAKER}:model/x"),
    ("sagemaker", "DeleteEndpoint", "delete_endpoint", {"EndpointName": "x"}, f"{SAGEMAKER}:endpoint/x"),
    ("sagemaker", "ListTags", "list_tags", {"ResourceArn": f"{SAGEMAKER}:model/x"}, f"{SAGEMAKER}:model/x"),
    (
        "sagemaker-runtime",
        "InvokeEndpoint",
        "invoke_endpoint",
        {"EndpointName": "x", "Body": b""},
        f"{SAGEMAKER}:endpoint/x",
    ),
    ("batch", "DescribeJobs", "describe_jobs", {"jobs": ["x"]}, "*"),
    ("batch", "TerminateJob", "terminate_job", {"jobId": "x", "reason": "y"}, f"{BATCH}:job/x"),
    ("batch", "DeleteJobQueue", "delete_job_queue", {"jobQueue": "x"}, f"{BATCH}:job-queue/x"),
    (
        "batch",
        "SubmitJob",
        "submit_job",
        {"jobName": "x", "jobQueue": "q", "jobDefinition": "d"},
        f"{BATCH}:job-queue/q",
    ),
]


@pytest.mark.parametrize(("service", "operation", "method", "request_", "resource"), CALLS)
def test_what_no_policy_allows_is_denied(
    nobody: Callable[[str], Any],
    somebody: Callable[[str], Any],
    service: str,
    operation: str,
    method: str,
    request_: dict[str, Any],
    resource: str,
) -> None:
    code, message = refusal(getattr(nobody(service), method), **request_)
    assert code == "AccessDeniedException"
    assert message.startswith(f"User: arn:aws:iam::{ACCOUNT}:user/")
    assert message.endswith(denied(action_of(service, operation), resource))
    try:
        getattr(somebody(service), method)(**request_)
    except somebody(service).exceptions.ClientError as error:
        assert "AccessDenied" not in str(error)  # what is asked for is not there


def test_resources_and_denials_count(cloud: Cloud) -> None:
    allowed = policy(
        ("Allow", "sagemaker:*", f"{SAGEMAKER}:model/ours-*"), ("Deny", "sagemaker:DeleteModel", f"{SAGEMAKER}:model/*")
    )
    sagemaker = user(cloud, allowed)("sagemaker")
    assert refusal(sagemaker.describe_model, ModelName="ours-1")[0] == "ValidationException"
    assert refusal(sagemaker.describe_model, ModelName="theirs-1")[0] == "AccessDeniedException"
    code, message = refusal(sagemaker.delete_model, ModelName="ours-1")
    assert (code, message.rpartition(f"{SAGEMAKER}:model/ours-1 ")[2]) == (
        "AccessDeniedException",
        "with an explicit deny in an identity-based policy",
    )


def creations(cloud: Cloud, arn: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """By service: the calls that hand a role on."""
    job = {**training_request(unique("job"), BUCKET), "RoleArn": arn}
    model = {"ModelName": unique("model"), "ExecutionRoleArn": arn, "PrimaryContainer": {"Image": "a/b:1"}}
    code = {"ZipFile": package(CODE)}
    function = {"FunctionName": unique("f"), "Runtime": "python3.12", "Handler": "code.handler", "Code": code}
    machine = {"name": unique("machine"), "definition": DEFINITION, "roleArn": arn}
    return {
        "training": ("sagemaker", "create_training_job", job),
        "model": ("sagemaker", "create_model", model),
        "lambda": ("lambda", "create_function", {**function, "Role": arn}),
        "states": ("stepfunctions", "create_state_machine", machine),
    }


WORDS = {
    "training": ("ValidationException", "Could not assume role {}. Please ensure that the role exists and allows "),
    "model": ("ValidationException", "Could not assume role {}. Please ensure that the role exists and allows "),
    "lambda": ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
    "states": ("AccessDeniedException", "Neither the global service principal states.amazonaws.com, nor the regional "),
}


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("there", [True, False])
def test_a_role_that_its_service_may_not_assume(cloud: Cloud, kind: str, there: bool) -> None:
    arn = role(cloud) if there else f"arn:aws:iam::{ACCOUNT}:role/none"
    service, method, request = creations(cloud, arn)[kind]
    code, message = refusal(getattr(cloud.client(service), method), **request)
    assert (code, message.startswith(WORDS[kind][1].format(arn))) == (WORDS[kind][0], True)


@pytest.mark.parametrize("kind", WORDS)
def test_a_role_is_handed_on_only_by_who_may_pass_it(cloud: Cloud, kind: str) -> None:
    principal = {"lambda": "lambda", "states": "states"}.get(kind, "sagemaker")
    arn = role(cloud, principal)
    service, method, request = creations(cloud, arn)[kind]
    create = policy(("Allow", f"{principal}:*", "*"))
    code, message = refusal(getattr(user(cloud, create)(service), method), **request)
    assert (code, message.endswith(denied("iam:PassRole", arn))) == ("AccessDeniedException", True)
    both = policy(("Allow", f"{principal}:*", "*"), ("Allow", "iam:PassRole", arn))
    getattr(user(cloud, both)(service), method)(**request)


def test_a_stack_does_not_get_such_a_role_either(cloud: Cloud) -> None:
    properties = {"RoleArn": role(cloud), "DefinitionString": DEFINITION}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    stacks, name = cloud.client("cloudformation"), unique("stack")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def reason() -> str | None:
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        return next(
            (each["ResourceStatusReason"] for each in events if each["ResourceStatus"] == "CREATE_FAILED"), None
        )

    assert WORDS["states"][1] in eventually(reason)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_state_machines_role_must_allow_its_functions(cloud: Cloud, allowed: bool) -> None:
    service, method, request = creations(cloud, role(cloud, "lambda"))["lambda"]
    function = getattr(cloud.client(service), method)(**request)["FunctionArn"]
    action = "lambda:InvokeFunction" if allowed else "lambda:GetFunction"
    arn = role(cloud, "states", allowed=policy(("Allow", action, function)))
    work = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": function, "End": True}}}
    machine = cloud.client("stepfunctions").create_state_machine(
        name=unique("machine"), definition=json.dumps(work), roleArn=arn
    )["stateMachineArn"]
    execution = execute(cloud, machine, {})
    assert execution["status"] == ("SUCCEEDED" if allowed else "FAILED")
    if not allowed:
        assert execution["error"] == "Lambda.AWSLambdaException"
        assert denied("lambda:InvokeFunction", function) in execution["cause"]


@pytest.mark.parametrize(
    ("trusted", "rights", "reason"),
    [
        ("ec2", "ecr:*", "ECS was unable to assume the role '{role}' "),
        ("ecs-tasks", "ecr:Get*", "CannotPullContainerError: User: arn:aws:sts::"),
    ],
)
def test_a_batch_job_fails_whose_role_cannot_be_used(cloud: Cloud, trusted: str, rights: str, reason: str) -> None:
    batch, name = cloud.client("batch"), unique("batch")
    resources = {"type": "FARGATE", "maxvCpus": 1, "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}
    environment = batch.create_compute_environment(
        computeEnvironmentName=name, type="MANAGED", computeResources=resources
    )["computeEnvironmentArn"]
    order = [{"order": 1, "computeEnvironment": environment}]
    batch.create_job_queue(jobQueueName=name, priority=1, computeEnvironmentOrder=order)
    container = {
        "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/scones-batch:1",
        "executionRoleArn": role(cloud, trusted, allowed=policy(("Allow", rights, "*"))),
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
    }
    batch.register_job_definition(
        jobDefinitionName=name, type="container", platformCapabilities=["FARGATE"], containerProperties=container
    )
    job = batch.submit_job(jobName=name, jobQueue=name, jobDefinition=name)["jobId"]

    def over() -> dict[str, Any] | None:
        found: dict[str, Any] = batch.describe_jobs(jobs=[job])["jobs"][0]
        return found if found["status"] in ("SUCCEEDED", "FAILED") else None

    record = eventually(over)
    assert record["status"] == "FAILED"
    assert record["statusReason"].startswith(reason.format(role=container["executionRoleArn"]))
