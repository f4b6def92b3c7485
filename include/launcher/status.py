"""`make status`: what of the stack runs, and whether it is well."""

from __future__ import annotations

import httpx

from include.launcher.config import Config
from include.launcher.errors import LaunchError
from include.launcher.services import Say, Services


def status(config: Config, say: Say) -> None:
    """Say what runs.

    Raises:
        LaunchError: not all of it does, or Airflow says of a part that it is not healthy.
    """
    services = Services(config)
    down = []
    for process in (*services.processes, services.supervisor):
        found = process.find()
        say(f"{process.name}: {f'running, pid {found.pid}' if found else 'stopped'}")
        if not found:
            down.append(process.name)
    try:
        down += services.unhealthy() if not down else []
    except httpx.TransportError:
        down.append(f"{config.airflow_url}, which does not answer")
    if down:
        raise LaunchError(f"not healthy: {', '.join(down)}. `make up` starts what is missing; logs: {services.folder}")
