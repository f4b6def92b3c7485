"""The project's CloudFormation stacks; the roles, functions, alarms, topic and Batch resources go with theirs."""

from __future__ import annotations

from include.scones.aws.cloudformation import delete_stack as delete_and_wait
from include.scones.aws.cloudformation import find_stack
from include.scones.settings import Settings
from include.scones.stacks.identities import cloudformation_role
from include.scones.steps import Step
from include.scones.teardown.resources import Resource, client, owned

STACK = "stack"


def find_stacks(settings: Settings, name: str = "") -> list[Resource]:
    """The users of the foundation first."""
    cloudformation = client(settings, "cloudformation")
    found = []
    for own in (settings.batch_stack, settings.inference_stack, settings.foundation_stack):
        stack = find_stack(cloudformation, own) if own == (name or own) else None
        if stack is not None and stack["StackStatus"] != "DELETE_COMPLETE":
            found += owned(settings, STACK, own, stack.get("Tags", []))
    return found


def delete_stack(settings: Settings, name: str, step: Step) -> None:
    """Raises `StackError` when something in the stack cannot be deleted."""
    cloudformation = client(settings, "cloudformation")
    delete_and_wait(name, cloudformation, step, cloudformation_role(settings, cloudformation))
