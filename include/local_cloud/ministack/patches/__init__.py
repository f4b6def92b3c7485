"""Where MiniStack's answers differ from AWS's in ways that this project can see: one small module a difference."""

from ...authentication.keys import KeyRing
from ...clock import Clock
from . import (
    alarm_evaluation,
    answer_headers,
    answer_members,
    bucket_errors,
    bucket_keys,
    bucket_lifecycles,
    bucket_owner,
    bucket_requests,
    bucket_tags,
    cloudwatch_clock,
    event_roles,
    event_rules,
    iam_conditions,
    iam_requests,
    iam_simulation,
    lambda_code,
    lambda_failures,
    lambda_limits,
    lambda_metrics,
    lambda_roles,
    lambda_runtimes,
    lambda_worker,
    log_filters,
    managed_policies,
    member_accounts,
    object_ranges,
    service_roles,
    signed_addresses,
    sns_requests,
    stack_roles,
    stack_templates,
    state_branches,
    state_definitions,
    state_history,
    state_paths,
    state_payloads,
    states_answers,
    states_calls,
    states_invocations,
    states_metrics,
    states_requests,
    states_roles,
)


def install(keys: KeyRing, clock: Clock) -> None:
    """Apply every patch; MiniStack's settings must be in place. Raises `PatchError`."""
    alarm_evaluation.install()
    answer_headers.install()
    answer_members.install()
    bucket_errors.install()
    bucket_keys.install()
    bucket_lifecycles.install()
    bucket_owner.install()
    bucket_requests.install()
    bucket_tags.install()
    cloudwatch_clock.install(clock)
    event_roles.install(keys)
    event_rules.install()
    iam_conditions.install()
    iam_requests.install()
    iam_simulation.install()
    lambda_code.install()
    lambda_failures.install()
    lambda_limits.install()
    lambda_metrics.install()
    lambda_roles.install(keys)
    lambda_runtimes.install()
    lambda_worker.install()
    log_filters.install()
    managed_policies.install()
    member_accounts.install()
    object_ranges.install()
    service_roles.install()
    signed_addresses.install()
    sns_requests.install()
    stack_roles.install(keys)
    stack_templates.install()
    state_branches.install()
    state_definitions.install()
    state_history.install()
    state_paths.install()
    state_payloads.install()
    states_answers.install()
    states_calls.install()
    states_invocations.install()
    states_metrics.install()
    states_requests.install()
    states_roles.install(keys)
