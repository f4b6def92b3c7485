"""What is there to delete, the deletion in an order that works, and the check that nothing is left.

Nothing is remembered between runs: each looks at what is there, so that it can follow a failure at any point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from include.scones.settings import Settings
from include.scones.steps import Step, to_the_end
from include.scones.teardown import bucket, logs, sagemaker, stacks
from include.scones.teardown.errors import ConfirmationError, ScopeError, TeardownError
from include.scones.teardown.resources import Resource, log

ENDPOINT, ALL_BUT_DATA, EVERYTHING = SCOPES = ("endpoint", "all_but_data", "everything")


@dataclass(frozen=True)
class Kind:
    """How one kind of resource is found and deleted; `scope` is the narrowest that it goes with.

    `find` gives those that are the project's: all of them, or only the one of the name that it is given.
    """

    name: str
    scope: str
    find: Callable[[Settings, str], list[Resource]]
    delete: Callable[[Settings, str, Step], None]


# The order of deletion: writers before what they write to, users before what they use. Log groups follow their writers,
# which would make them again; the bucket is last, since everything writes there.
KINDS = (
    Kind(sagemaker.ENDPOINT, ENDPOINT, sagemaker.find_endpoint, sagemaker.delete_endpoint),
    Kind(sagemaker.JOB, ALL_BUT_DATA, sagemaker.find_running_jobs, sagemaker.stop_job),
    Kind(sagemaker.CONFIG, ALL_BUT_DATA, sagemaker.find_configs, sagemaker.delete_config),
    Kind(sagemaker.MODEL, ALL_BUT_DATA, sagemaker.find_models, sagemaker.delete_model),
    Kind(stacks.STACK, ALL_BUT_DATA, stacks.find_stacks, stacks.delete_stack),
    Kind(logs.STREAM, ALL_BUT_DATA, logs.find_streams, logs.delete_stream),
    Kind(logs.GROUP, ALL_BUT_DATA, logs.find_groups, logs.delete_group),
    Kind(bucket.BUCKET, EVERYTHING, bucket.find_bucket, bucket.delete_bucket),
)


def plan(settings: Settings, scope: str) -> list[Resource]:
    """What the scope would delete, in that order. Raises `ScopeError`."""
    if scope not in SCOPES:
        raise ScopeError(f"there is no scope {scope!r}: choose one of {', '.join(SCOPES)}")
    reach = SCOPES.index(scope)
    return [resource for kind in KINDS if SCOPES.index(kind.scope) <= reach for resource in kind.find(settings, "")]


def execute(settings: Settings, resources: Sequence[Resource], step: Step | None = None) -> list[Resource]:
    """Delete what a plan lists and is still the project's, each looked at right before. Returns what was deleted.

    Waits to the end when no step is given; else raises `UnfinishedError` when its time is over.
    A plan is only a text that lies about until it is carried out: what it names is not the project's because of that.
    """
    kinds = {kind.name: kind for kind in KINDS}
    deleted = []
    for resource in resources:
        kind = kinds[resource.kind]
        if resource.name not in [found.name for found in kind.find(settings, resource.name)]:
            log.warning("not deleted: %s %s is gone, or is not %s's", resource.kind, resource.name, settings.project)
            continue
        log.info("deleting %s %s", resource.kind, resource.name)
        kind.delete(settings, resource.name, step or to_the_end())
        deleted.append(resource)
    return deleted


def verify(settings: Settings, scope: str) -> None:
    """Raises `TeardownError` when anything of the scope is left."""
    left = plan(settings, scope)
    if left:
        names = "\n".join(f"- {resource.kind} {resource.name}" for resource in left)
        raise TeardownError(f"{len(left)} resources of {settings.project} are left; run the teardown again:\n{names}")


def check_confirmation(settings: Settings, typed: str) -> None:
    """Raises `ConfirmationError` unless the project's name was typed."""
    if typed != settings.project:
        raise ConfirmationError(
            f"nothing is deleted: type the project's name, {settings.project}, into confirm (it is {typed!r})"
        )
