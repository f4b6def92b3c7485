"""What every operation and every background job gets: the store, the data folder, and clients of this very cloud."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import boto3
from botocore.config import Config

from .account import ACCOUNT, DEFAULT_REGION
from .authentication.keys import AccessKey, KeyRing
from .authentication.verification import regions
from .clock import Clock
from .conformance.recorder import OWN_CLIENT
from .errors import UnknownRegion
from .store import Database, Store

Service = TypeVar("Service")

_CLIENT_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"total_max_attempts": 3, "mode": "standard"},
    max_pool_connections=16,
    user_agent_extra=OWN_CLIENT,
)


@dataclass
class Shared:
    """What all regions have in common; `data` is the cloud's folder, `url` its own address."""

    database: Database
    data: Path
    url: str
    images: dict[str, list[str]]
    keys: KeyRing
    clock: Clock
    contexts: dict[str, Context] = field(default_factory=dict)
    services: dict[type, object] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    client_lock: threading.Lock = field(default_factory=threading.Lock)  # making a client takes a while
    session: boto3.session.Session = field(default_factory=boto3.session.Session)  # it reads what services are once


@dataclass
class Context:
    """The services in one region. There is one context a region, for as long as the process lives."""

    shared: Shared
    region: str
    store: Store
    account: str = ACCOUNT
    key: AccessKey | None = None  # the cloud's own without one
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def data(self) -> Path:
        return self.shared.data

    @property
    def url(self) -> str:
        return self.shared.url

    @property
    def images(self) -> dict[str, list[str]]:
        """The arguments that run each container, by repository name."""
        return self.shared.images

    @property
    def keys(self) -> KeyRing:
        """The access keys that the cloud issued."""
        return self.shared.keys

    @property
    def clock(self) -> Clock:
        """The time of alarms and time limits."""
        return self.shared.clock

    def regional(self, region: str) -> Context:
        """The context of a region, made when it is first asked for. Raises `UnknownRegion`: regions name folders."""
        shared = self.shared
        if region not in regions():
            raise UnknownRegion(f"{region!r} is no region of AWS")
        with shared.lock:
            if region not in shared.contexts:
                shared.contexts[region] = Context(shared, region, Store(shared.database, region))
            return shared.contexts[region]

    def with_key(self, key: AccessKey) -> Context:
        """This context, whose clients sign with the key."""
        return replace(self, key=key, _clients={})

    def every_region(self) -> list[Context]:
        """The default region, and every other that has resources."""
        known = regions() & {DEFAULT_REGION, *self.shared.database.regions()}
        return [self.regional(region) for region in sorted(known)]

    def service(self, kind: type[Service]) -> Service:
        """The cloud's one instance of a service."""
        return cast(Service, self.shared.services[kind])

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud. Its calls block: use it in worker threads, never on the event loop."""
        with self.shared.client_lock:
            if service not in self._clients:
                key = self.key or self.keys.root
                self._clients[service] = self.shared.session.client(
                    service,
                    region_name=self.region,
                    endpoint_url=self.url,
                    config=_CLIENT_CONFIG,
                    aws_access_key_id=key.id,
                    aws_secret_access_key=key.secret,
                    aws_session_token=key.token,
                )
            return self._clients[service]

    @property
    def s3(self) -> Any:
        return self.client("s3")

    @property
    def logs(self) -> Any:
        return self.client("logs")


def open_context(data: Path, url: str, images: dict[str, list[str]], keys: KeyRing, clock: Clock) -> Context:
    """The default region's context over the data folder."""
    shared = Shared(Database(data / "sagemaker.sqlite3"), data, url, images, keys, clock)
    context = Context(shared, DEFAULT_REGION, Store(shared.database, DEFAULT_REGION))
    shared.contexts[DEFAULT_REGION] = context
    return context
