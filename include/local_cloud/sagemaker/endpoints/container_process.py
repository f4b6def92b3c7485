"""A variant's container as the system sees it: its process group, and its output on the way to CloudWatch Logs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...authentication.keys import AccessKey
from ...containers import images, processes
from ...containers.logs import LogStream
from ...context import Context
from . import model_data
from .container import HOST

_LINE_LIMIT = 1 << 20


class ServingProcess:
    """One run of a container's `serve`."""

    def __init__(self, context: Context, process: asyncio.subprocess.Process, write: Callable[[str], None]) -> None:
        self._context = context
        self._process = process
        self._gone = False
        self._output = asyncio.create_task(_copy(process.stdout, write))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        """Its exit code, once it has ended; whatever it started has ended then, too."""
        code = await self._process.wait()
        if not self._gone:
            self._gone = True
            processes.end(self.pid, signal.SIGKILL)
            processes.forget(self._context.store, self.pid)
        await self._output
        return code

    def terminate(self) -> None:
        processes.end(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        processes.end(self.pid, signal.SIGKILL)


class ContainerLauncher:
    """Starts a model's container as often as it is needed, over one base folder and into one log stream."""

    def __init__(self, context: Context, model: dict[str, Any], base: Path, log_group: str, log_stream: str) -> None:
        """Raises `UnknownImage`."""
        definition = model_data.container(model)
        self._context = context
        self._command = processes.arguments([*images.program(context.images, definition["Image"]), "serve"])
        self._base = base
        self._own_environment = definition.get("Environment", {})
        self._role_arn = model["ExecutionRoleArn"]
        self._role: AccessKey | None = None
        self._log_name = (log_group, log_stream)
        self._log: LogStream | None = None

    async def start(self, port: int) -> ServingProcess:
        if self._role is None:
            self._role = self._context.keys.lend(self._role_arn, "SageMaker")
        if self._log is None:
            self._log = LogStream(self._context.with_key(self._role), *self._log_name)
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**self._environment(self._role), "SAGEMAKER_BIND_TO_PORT": str(port), "SAGEMAKER_BIND_TO_HOST": HOST},
            cwd=self._base,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_LIMIT,
            start_new_session=True,
        )
        processes.record(self._context.store, process.pid)
        return ServingProcess(self._context, process, self._log.write)

    def _environment(self, role: AccessKey) -> dict[str, str]:
        """With one session of the model's role for every run of the container."""
        return images.environment(self._base, self._own_environment, self._context.region, self._context.url, role)

    async def close(self) -> None:
        """Send what is left of the output, and end the session of the role."""
        if self._log is not None:
            await asyncio.to_thread(self._log.close)
            self._log = None
        if self._role is not None:
            self._context.keys.take_back(self._role)
            self._role = None


async def _copy(output: asyncio.StreamReader | None, write: Callable[[str], None]) -> None:
    while output is not None:
        with contextlib.suppress(ValueError):  # a line over the limit; the rest of it comes as further lines
            line = await output.readline()
            if not line:
                return
            write(line.decode(errors="replace").rstrip("\r\n"))
