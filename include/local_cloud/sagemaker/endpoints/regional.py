"""The endpoints of one region as they run: their fleets, the deployments under way, captures and metrics."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ...context import Context
from ...errors import WorkError
from ...periodic import Periodic
from ..api.operation import now
from ..api.resource import ENDPOINTS
from .capture_files import CaptureFiles
from .data_capture import CaptureSettings
from .document import pending_summary
from .fleet import Fleet, FleetFailed, VariantPlan
from .in_service import LOG_GROUP, InServiceEndpoint
from .metrics import EndpointMetrics
from .rollout import RolledBack, Rollout, shift

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0  # between looks at the capture files
METRICS_SECONDS = 10.0
DRAIN_SECONDS = 65.0
STOP_DRAIN_SECONDS = 5.0
INTERRUPTED = (
    "The local cloud was stopped during the update: the previous version serves on. Update the endpoint again."
)
_NO_SUMMARY = {"PendingDeploymentSummary": None}

Document = dict[str, Any]


class RegionalEndpoints:
    """Everything below runs on the event loop."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.in_service: dict[str, InServiceEndpoint] = {}
        self.stopping = False
        self.metrics = EndpointMetrics()
        self.capture_files = CaptureFiles(context.data / "capture" / context.region, self._upload)
        self._folder = context.data / "endpoints" / context.region
        self._deployments: set[asyncio.Task[None]] = set()
        self._periodic = [
            Periodic(self.capture_files.sweep, SWEEP_SECONDS, "captured files could not be looked after"),
            Periodic(self._publish, METRICS_SECONDS, "the metrics of endpoints could not be published"),
        ]

    def start(self) -> None:
        """Begin the periodic work."""
        for periodic in self._periodic:
            periodic.start()

    def take_up(self) -> None:
        """Go on with what an earlier process left."""
        self.capture_files.recover()
        documents = ENDPOINTS.all(self.context)
        self._remove_folders(keep={document["_version"] for document in documents})
        for document in documents:
            self._take_up(document)

    async def stop(self) -> None:
        """Answer what was asked, then end every container and bring what is captured to S3."""
        self.stopping = True
        for task in (deployments := list(self._deployments)):
            task.cancel()
        await asyncio.gather(*deployments, return_exceptions=True)
        fleets = [endpoint.fleet for endpoint in self.in_service.values()]
        self.in_service.clear()
        await asyncio.gather(*(fleet.drain(STOP_DRAIN_SECONDS) for fleet in fleets))
        await asyncio.gather(*(fleet.stop() for fleet in fleets))
        for periodic in self._periodic:
            await periodic.stop()
        await self.capture_files.flush()
        await self._publish()

    def deploy(self, document: Document) -> None:
        """Serve a new endpoint, or an endpoint's `_pending` version in place of the present one."""
        began = self.context.clock.monotonic()
        self._spawn(self._update(document, began) if "_pending" in document else self._create(document))

    def delete(self, document: Document) -> None:
        """Stop serving, bring the captures to S3, then drop the document."""
        self._spawn(self._delete(document, self.in_service.pop(document["EndpointName"], None)))

    def _take_up(self, document: Document) -> None:
        status = document["EndpointStatus"]
        if status == "Creating":
            self.deploy(document)
        elif status == "Deleting":
            self.delete(document)
        elif status in ("InService", "Updating", "RollingBack"):
            if status != "InService":
                document = self._set(
                    document, EndpointStatus="InService", FailureReason=INTERRUPTED, _pending=None, **_NO_SUMMARY
                )
            self._spawn(self._resume(document))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self.stopping:  # what the store says is taken up at the next start
            work.close()
            return
        task = asyncio.create_task(_logged(work))
        self._deployments.add(task)
        task.add_done_callback(self._deployments.discard)

    def _set(self, document: Document, **changes: Any) -> Document:
        changes["LastModifiedTime"] = now()
        return ENDPOINTS.update(self.context, document["EndpointName"], changes)

    def _endpoint(self, name: str, version: Document) -> InServiceEndpoint:
        """What serves a version, with no process of it started yet. Raises `UnknownImage`."""
        plans = [VariantPlan(**plan) for plan in version["_plans"]]
        fleet = Fleet(self.context, LOG_GROUP + name, self._folder / version["_version"], plans)
        capture = CaptureSettings.from_config(version.get("_capture"))
        return InServiceEndpoint(name, fleet, capture, self.capture_files, self.metrics)

    async def _create(self, document: Document) -> None:
        name = document["EndpointName"]
        try:
            with _any_failure_told(name):
                endpoint = self._endpoint(name, document)
                await endpoint.fleet.start()
        except FleetFailed as error:
            self._set(document, EndpointStatus="Failed", FailureReason=str(error))
            return
        self.in_service[name] = endpoint
        self._set(document, EndpointStatus="InService")

    async def _resume(self, document: Document) -> None:
        name = document["EndpointName"]
        try:
            with _any_failure_told(name):
                self.in_service[name] = self._endpoint(name, document)
                await self.in_service[name].fleet.resume()
        except FleetFailed as error:
            self.in_service.pop(name, None)
            self._set(document, EndpointStatus="Failed", FailureReason=str(error))

    async def _update(self, document: Document, began: float) -> None:
        """Blue/green: the present fleet serves until every container of the new one answers, then less and less."""
        name, pending, before = document["EndpointName"], document["_pending"], document["_version"]
        planned = Rollout.of(document.get("LastDeploymentConfig"), pending["_plans"])
        try:
            with _any_failure_told(name):
                endpoint = self._endpoint(name, pending)
                await endpoint.fleet.start()
        except FleetFailed as error:
            await self._roll_back(document, str(error))
            return
        old = self.in_service.get(name)
        try:
            if old is not None:
                await shift(self.context, old, endpoint, planned, began, partial(self._baking, document))
        except RolledBack as error:
            await self._roll_back(document, str(error), endpoint)
            return
        except BaseException:
            await endpoint.fleet.stop()
            raise
        self._set(document, EndpointStatus="InService", FailureReason=None, _pending=None, **pending, **_NO_SUMMARY)
        self.in_service[name] = endpoint
        if old is not None:
            self._spawn(self._retire(old, before, planned.termination_wait))

    def _baking(self, document: Document, share: float) -> None:
        began = document["PendingDeploymentSummary"]["StartTime"]
        summary = pending_summary(document["_pending"], began, "Baking", share, now())
        self._set(document, PendingDeploymentSummary=summary)

    async def _roll_back(self, document: Document, reason: str, endpoint: InServiceEndpoint | None = None) -> None:
        """The fleet that serves goes on; what was to replace it is forgotten."""
        self._set(document, EndpointStatus="RollingBack")
        if endpoint is not None:
            await endpoint.fleet.drain(DRAIN_SECONDS)
            await endpoint.fleet.stop()
        await asyncio.to_thread(self._remove_folder, document["_pending"]["_version"])
        reason = f"{reason} The endpoint was rolled back to its previous configuration."
        self._set(document, EndpointStatus="InService", FailureReason=reason, _pending=None, **_NO_SUMMARY)

    async def _retire(self, endpoint: InServiceEndpoint, version: str, wait: float = 0.0) -> None:
        clock = self.context.clock
        terminated = clock.monotonic() + wait
        try:
            while clock.monotonic() < terminated:
                await asyncio.sleep(clock.sleep_seconds(terminated))
            await endpoint.fleet.drain(DRAIN_SECONDS)
        finally:
            await endpoint.fleet.stop()
        await asyncio.to_thread(self._remove_folder, version)

    async def _delete(self, document: Document, endpoint: InServiceEndpoint | None) -> None:
        if endpoint is not None:
            await self._retire(endpoint, document["_version"])
        await self.capture_files.flush(document["EndpointName"])
        await asyncio.to_thread(self._remove_folder, document["_version"])
        ENDPOINTS.delete(self.context, document["EndpointName"])

    def _remove_folders(self, keep: set[str]) -> None:
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in keep:
                    self._remove_folder(path.name)

    def _remove_folder(self, version: str) -> None:
        shutil.rmtree(self._folder / version, ignore_errors=True)

    async def _upload(self, role_arn: str, bucket: str, key: str, content: bytes) -> None:
        def put() -> None:
            with self.context.keys.lent(role_arn, "SageMaker") as role:
                self.context.with_key(role).s3.put_object(Bucket=bucket, Key=key, Body=content)

        try:
            await asyncio.to_thread(put)
        except (ClientError, BotoCoreError) as error:
            raise OSError(f"s3://{bucket}/{key} could not be written: {error}") from error

    async def _publish(self) -> None:
        await self.metrics.publish(self.context)


@contextmanager
def _any_failure_told(name: str) -> Iterator[None]:
    """Whatever goes wrong in a deployment is a `FleetFailed` with the endpoint's FailureReason."""
    try:
        yield
    except (FleetFailed, WorkError) as error:
        raise FleetFailed(str(error)) from error
    except Exception as error:
        logger.exception("the deployment of endpoint %s failed inside the local cloud", name)
        reason = f"The local cloud could not deploy the endpoint: {str(error) or type(error).__name__}."
        raise FleetFailed(reason) from error


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        logger.exception("a deployment of an endpoint failed inside the local cloud")
