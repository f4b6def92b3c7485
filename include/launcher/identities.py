"""Who works on the target: their stack is deployed with the caller's rights, and Airflow becomes its roles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from include.launcher.errors import LaunchError
from include.scones import session, settings
from include.scones.aws.cloudformation import delete_stack, find_stack
from include.scones.settings import Settings
from include.scones.stacks.identities import deploy_identities
from include.scones.teardown.resources import Resource, owned

_FILE = "identities.json"


def deploy(home: Path) -> None:
    """Create or update them, and note down which roles they are, for processes that are started again later.

    Raises:
        LaunchError: the caller is neither a user nor a role.
        StackError: the deployment failed.
    """
    here, caller = settings.load(), session.Environment()
    arn = str(caller.client("sts", here.region, None).get_caller_identity()["Arn"])
    principal = principal_of(arn)
    if principal is None:
        raise LaunchError(f"{arn} can be let become no role: use the credentials of a user or a role")
    archive, _ = settings.default_archive()
    outputs = deploy_identities(here, principal, _cloudformation(here), archive).outputs
    (home / _FILE).write_text(json.dumps(outputs))


def role(home: Path, component: str) -> str:
    """The ARN of the role of one of Airflow's processes; empty before the identities are deployed.

    The API server has the pages and shows; all others run tasks, triggers or callbacks.
    """
    path = home / _FILE
    known = json.loads(path.read_text()) if path.exists() else {}
    return str(known.get("ReadersRoleArn" if component == "api-server" else "WorkersRoleArn", ""))


def find(here: Settings) -> list[Resource]:
    """Their stack, which no teardown within Airflow deletes: it works as one of them."""
    stack = find_stack(_cloudformation(here), here.identities_stack)
    return owned(here, "stack", here.identities_stack, stack.get("Tags", [])) if stack else []


def delete(here: Settings) -> None:
    """Delete them, after all that they made. Raises `StackError`."""
    if find(here):
        delete_stack(here.identities_stack, _cloudformation(here))


def _cloudformation(here: Settings) -> Any:
    return session.Environment().client("cloudformation", here.region, None)


def principal_of(arn: str) -> str | None:
    """Whose policies speak for a caller: a user's, the account's, or those of the role behind a session; else None."""
    kind, _, name = arn.split(":", 5)[5].partition("/")
    if kind == "assumed-role":
        # The session's ARN leaves out the role's path.
        iam = session.Environment().client("iam", None, None)
        return str(iam.get_role(RoleName=name.partition("/")[0])["Role"]["Arn"])
    return arn if kind in ("user", "root") else None
