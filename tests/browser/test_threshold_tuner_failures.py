"""What the threshold tuner says when a change fails or cannot be made now: the real failures, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import boto3
import httpx
import pytest
from playwright.sync_api import Page, expect

from include.scones.cifar import catalogue
from include.scones.settings import Settings
from include.scones.stacks import TEMPLATES
from tests.browser.tuner import RUN_SECONDS, machine
from tests.waiting import eventually

NAME = "StateMachineName: !Sub ${Project}-inference"
HOLD = """
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle
  Hold:
    Type: AWS::CloudFormation::WaitCondition
    Properties: {Handle: !Ref Handle, Timeout: "600"}
"""


@pytest.mark.usefixtures("restored")
def test_a_run_that_fails_after_the_redeployment_is_told_and_undone(page: Page, here: Settings) -> None:
    s3 = boto3.client("s3")
    key = f"{catalogue.describe(here.bucket)['prefix']}test.lst"
    listing = s3.get_object(Bucket=here.bucket, Key=key)["Body"].read()
    page.fill("#number", "0.88")
    s3.delete_object(Bucket=here.bucket, Key=key)
    try:
        page.locator("#apply").click()
        page.locator("#go").click()
        expect(page.locator("#run-state")).to_have_text(
            "The run failed. The threshold in force is 0.88.", timeout=RUN_SECONDS * 1000
        )
    finally:
        s3.put_object(Bucket=here.bucket, Key=key, Body=listing)
    expect(page.locator("#message")).to_have_text(
        "The threshold is 0.88 now, but the run failed afterwards."
        f" generate_test_cases: there is no s3://{here.bucket}/{key}: run cifar_etl first"
    )
    page.locator("#undo").click()
    page.locator("#go").click()
    expect(page.locator("#run-state")).to_have_text("Done: the threshold in force is 0.93.", timeout=RUN_SECONDS * 1000)


def settled(describe: Callable[[], str], wanted: str) -> None:
    eventually(describe, lambda status: status == wanted, seconds=120)


def change_type(here: Settings, kind: str) -> None:
    """Make the state machine one of another type, which CloudFormation does under another name only: there and back."""
    client = boto3.client("cloudformation")
    template = (TEMPLATES / "inference.yaml").read_text().replace("STANDARD", kind)
    for name in (f"{NAME}-moved", NAME):
        update_template(here, template.replace(NAME, name))
        client.get_waiter("stack_update_complete").wait(
            StackName=here.inference_stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )


def update_template(here: Settings, template: str) -> None:
    client = boto3.client("cloudformation")
    stack = client.describe_stacks(StackName=here.inference_stack)["Stacks"][0]
    client.update_stack(
        StackName=here.inference_stack,
        TemplateBody=template,
        Parameters=[{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]],
        Capabilities=["CAPABILITY_IAM"],
    )


@pytest.fixture
def other_type(here: Settings) -> Iterator[None]:
    """The state machine is of a type that the project's template cannot change back in one update."""
    change_type(here, "EXPRESS")
    yield
    change_type(here, "STANDARD")


@pytest.mark.usefixtures("restored", "other_type")
def test_a_redeployment_that_fails_changes_nothing_and_says_why(page: Page, here: Settings) -> None:
    states = boto3.client("stepfunctions")
    before = states.describe_state_machine(stateMachineArn=machine(here))
    page.fill("#number", "0.88")
    page.locator("#apply").click()
    page.locator("#go").click()
    expect(page.locator("#run-state")).to_have_text(
        "The run failed. The threshold in force is 0.93.", timeout=RUN_SECONDS * 1000
    )
    message = page.locator("#message")
    expect(message).to_contain_text("The redeployment failed and nothing was changed: 0.93 is still in force. deploy: ")
    expect(message).to_contain_text(f"stack {here.inference_stack} ended as UPDATE_ROLLBACK_COMPLETE:")
    expect(message).to_contain_text("(AWS::StepFunctions::StateMachine): ")
    expect(page.locator("#in-force")).to_contain_text("In force: 0.93")
    after = states.describe_state_machine(stateMachineArn=machine(here))
    assert (after["definition"], after["revisionId"]) == (before["definition"], before["revisionId"])


@pytest.fixture
def stack_held(here: Settings) -> Iterator[None]:
    """The stack is in the middle of an update that waits for a signal; afterwards it is as it was."""
    client = boto3.client("cloudformation")
    template = (TEMPLATES / "inference.yaml").read_text()
    update_template(here, template.replace("\nResources:\n", f"\nResources:{HOLD}"))
    yield
    handle = client.describe_stack_resource(StackName=here.inference_stack, LogicalResourceId="Handle")
    signal = {"Status": "FAILURE", "UniqueId": "1", "Data": "", "Reason": "the test is done"}
    address = handle["StackResourceDetail"]["PhysicalResourceId"]
    httpx.put(address, content=json.dumps(signal), timeout=30).raise_for_status()
    settled(
        lambda: str(client.describe_stacks(StackName=here.inference_stack)["Stacks"][0]["StackStatus"]),
        "UPDATE_ROLLBACK_COMPLETE",
    )


@pytest.mark.usefixtures("restored", "stack_held")
def test_a_stack_that_is_updating_is_left_alone(page: Page, here: Settings) -> None:
    page.fill("#number", "0.88")
    page.locator("#apply").click()
    expect(page.locator("#message")).to_have_text(
        f"the stack {here.inference_stack} is UPDATE_IN_PROGRESS: wait until that is done, then apply again"
    )
    expect(page.locator("#confirm")).to_be_hidden()
