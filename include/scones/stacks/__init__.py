"""The project's CloudFormation stacks: the foundation (bucket, SageMaker's role) and the inference workflow."""

from __future__ import annotations

from include.scones.aws.cloudformation import StackResult, delete_stack, deploy_stack, stack_outputs
from include.scones.stacks.foundation import deploy_foundation
from include.scones.stacks.inference import deploy_inference, threshold_in_force
from include.scones.stacks.parameters import TEMPLATES
from include.scones.stacks.threshold_history import threshold_at

__all__ = [
    "TEMPLATES",
    "StackResult",
    "delete_stack",
    "deploy_foundation",
    "deploy_inference",
    "deploy_stack",
    "stack_outputs",
    "threshold_at",
    "threshold_in_force",
]
