"""Where MiniStack's answers differ from AWS's in ways that this project can see: one small module a difference."""

from ...authentication.keys import KeyRing
from ...clock import Clock
from . import (
    alarm_evaluation,
    answer_members,
    bucket_keys,
    bucket_owner,
    bucket_tags,
    cloudwatch_clock,
    event_roles,
    iam_conditions,
    iam_requests,
    iam_simulation,
    lambda_code,
    lambda_failures,
    lambda_limits,
    lambda_metrics,
    lambda_roles,
    lambda_worker,
    member_accounts,
    service_roles,
    signed_addresses,
    stack_roles,
    stack_templates,
    state_definitions,
    state_payloads,
    states_calls,
    states_metrics,
    states_roles,
)


def install(keys: KeyRing, clock: Clock) -> None:
    """Apply every patch; MiniStack's settings must be in place. Raises `PatchError`."""
    alarm_evaluation.install()
    answer_members.install()
    bucket_keys.install()
    bucket_owner.install()
    bucket_tags.install()
    cloudwatch_clock.install(clock)
    event_roles.install(keys)
    iam_conditions.install()
    iam_requests.install()
    iam_simulation.install()
    lambda_code.install()
    lambda_failures.install()
    lambda_limits.install()
    lambda_metrics.install()
    lambda_roles.install(keys)
    lambda_worker.install()
    member_accounts.install()
    service_roles.install()
    signed_addresses.install()
    stack_roles.install(keys)
    stack_templates.install()
    state_definitions.install()
    state_payloads.install()
    states_calls.install()
    states_metrics.install()
    states_roles.install(keys)
