"""The credentials of a function: a session of its role, as on AWS; MiniStack hands its own administrator's on."""

from __future__ import annotations

import threading
from typing import Any

from ...authentication.keys import AccessKey, KeyRing
from ..patching import patch


def install(keys: KeyRing) -> None:
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    sessions: dict[tuple[str, str], AccessKey] = {}
    lock = threading.Lock()

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        """One session a function and role, for all processes of the function, until the cloud ends."""
        name, role = config["FunctionName"], config["Role"]
        with lock:
            if (name, role) not in sessions:
                sessions[name, role] = keys.lend(role, name)
            return sessions[name, role].environment()

    for module in (lambda_runtime, lambda_svc):
        patch(module, "execution_credentials", lambda administrators: execution_credentials, ("config",))
