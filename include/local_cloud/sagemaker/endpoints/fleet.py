"""What serves one version of an endpoint: a container process for each production variant, and the choice between them.

A variant's `InitialInstanceCount` is kept, answered and checked as on AWS, but one process serves the variant whatever
the count: on one machine, more processes of the same model would only share the same cores.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...context import Context
from ...errors import WorkError
from ...permissions import check_pull
from . import model_data
from .connections import Answer
from .container import ContainerFailed, ServingContainer
from .container_process import ContainerLauncher

RESTART_SECONDS = 20.0  # that a request waits for a container being restarted
STARTUP_SECONDS = 60.0


class FleetFailed(Exception):
    """The fleet cannot serve; the message is the endpoint's FailureReason."""


@dataclass(frozen=True)
class VariantPlan:
    """All that it takes to serve a variant, whatever becomes of the resources it was made from."""

    name: str
    model: dict[str, Any]
    instance_id: str
    instance_count: int
    weight: float
    startup_seconds: float = STARTUP_SECONDS


@dataclass
class Variant:
    """A serving variant. Its weight may be changed while it serves."""

    plan: VariantPlan
    container: ServingContainer
    weight: float
    in_flight: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.idle.set()

    async def request(self, data: bytes) -> Answer:
        """Raises `ContainerUnavailable` and `ContainerDied`."""
        self.in_flight += 1
        self.idle.clear()
        try:
            return await self.container.request(data, RESTART_SECONDS)
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()


class Fleet:
    """The variants of one version of an endpoint, from `start` to `stop`."""

    def __init__(self, context: Context, log_group: str, folder: Path, plans: Sequence[VariantPlan]) -> None:
        """`folder` is this version's own: it holds each variant's container folder.

        Raises:
            UnknownImage: a model's image cannot be run.
        """
        self._context = context
        self.folder = folder
        self.variants: dict[str, Variant] = {}
        for plan in plans:
            stream = f"{plan.name}/{plan.instance_id}"
            launcher = ContainerLauncher(context, plan.model, folder / plan.name, log_group, stream)
            container = ServingContainer(f"{log_group}/{stream}", launcher, plan.startup_seconds)
            self.variants[plan.name] = Variant(plan, container, plan.weight)

    async def start(self) -> None:
        """Return when each variant's container answers its ping.

        Raises:
            FleetFailed: one cannot; nothing is left running then.
        """
        starts = [asyncio.ensure_future(self._start(variant)) for variant in self.variants.values()]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for task in starts:
                task.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            await self.stop()
            raise

    async def _start(self, variant: Variant) -> None:
        await self._prepare(variant)
        try:
            await variant.container.start()
        except (ContainerFailed, OSError) as error:
            raise FleetFailed(
                f"The primary container for production variant {variant.plan.name} did not pass the ping health check: "
                f"{error}. Please check CloudWatch logs for this endpoint."
            ) from error

    async def resume(self) -> None:
        """Serve again what served when the cloud ended; requests wait until a container is up.

        Raises:
            FleetFailed: a model is gone from here and from S3; nothing is left running then.
        """
        try:
            for variant in self.variants.values():
                await self._prepare(variant)
                variant.container.resume()
        except BaseException:
            await self.stop()
            raise

    async def _prepare(self, variant: Variant) -> None:
        """Have the model in the container's folder; what is there already is whole."""
        base = self.folder / variant.plan.name
        if base.is_dir():
            return
        part = base.with_name(f"{base.name}.part")
        try:
            await asyncio.to_thread(self._fetch, variant.plan.model, part)
        except WorkError as error:
            raise FleetFailed(
                f"The model data of production variant {variant.plan.name} cannot be used: {error}"
            ) from error
        part.rename(base)

    def _fetch(self, model: dict[str, Any], folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        with self._context.keys.lent(model["ExecutionRoleArn"], "SageMaker") as role:
            check_pull(model_data.container(model)["Image"], role)
            model_data.fetch(self._context.with_key(role), model, folder / "model", folder)

    def choose(self) -> Variant:
        """A variant by chance, in proportion to the weights."""
        variants = list(self.variants.values())
        if len(variants) == 1:
            return variants[0]
        return random.choices(variants, [variant.weight for variant in variants])[0]  # noqa: S311 - spreads load

    async def drain(self, seconds: float) -> None:
        """Wait until no request is with the fleet, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                for variant in self.variants.values():
                    await variant.idle.wait()
        except TimeoutError:
            return

    async def stop(self) -> None:
        await asyncio.gather(*(variant.container.stop() for variant in self.variants.values()))
