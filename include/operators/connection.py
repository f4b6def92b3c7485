"""The AWS session of all that Airflow runs here: of one connection, with its key or role, its region and its addresses.

Tasks, triggers, callbacks and the plugin have it by importing anything of this package. Nothing is looked up before a
client is needed, so never while a DAG is parsed. Where there is no such connection, the AWS environment is what counts,
as it does for Airflow's own hooks.
"""

from __future__ import annotations

import os
import threading
import time
from functools import lru_cache
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import Variable
from botocore.config import Config

from include.scones import session

SETTING = "SCONES_AWS_CONN_ID"
VARIABLE = "scones_aws_conn_id"
KEPT = 60  # seconds until a process that lives long looks at the connection again
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")


def connection_id() -> str:
    """The connection's id: the setting's, else the Airflow Variable's, else `aws_default`."""
    return os.environ.get(SETTING) or str(Variable.get(VARIABLE, default=AwsBaseHook.default_conn_name))


class ConnectionSession:
    """The session that a hook makes of its connection. A role is assumed here, and again before its session ends."""

    def __init__(self, hook: AwsBaseHook) -> None:
        self._connection = hook.conn_config
        self._session = hook.get_session()
        self._lock = threading.Lock()  # boto3's sessions are not made for several threads

    def region(self) -> str | None:
        found: str | None = self._session.region_name
        return found

    def client(self, service: str, region: str | None, config: Config | None) -> Any:
        with self._lock:
            return self._session.client(
                service,
                region_name=region,
                endpoint_url=self._connection.get_service_endpoint_url(service),
                verify=self._connection.verify,
                config=session.merge(self._connection.botocore_config, config),
            )

    def environment(self, *services: str) -> dict[str, str]:
        rest = session.Environment().environment()
        found = {name: value for name, value in rest.items() if name not in (*_CREDENTIALS, *_PROFILES)}
        if credentials := self._session.get_credentials():
            values = zip(_CREDENTIALS, credentials.get_frozen_credentials(), strict=False)
            found |= {name: value for name, value in values if value}
        if region := self.region():
            found |= {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
        for service in services:
            if url := self._connection.get_service_endpoint_url(service):
                found[f"AWS_ENDPOINT_URL_{service.upper()}"] = url
        if isinstance(self._connection.verify, str):
            found["AWS_CA_BUNDLE"] = self._connection.verify
        return found


def connected() -> session.Session:
    """The connection's session; the environment's where there is no such connection."""
    return _connect(int(time.monotonic() // KEPT))


@lru_cache(maxsize=1)
def _connect(_: int) -> session.Session:
    hook = AwsBaseHook(aws_conn_id=connection_id())
    return ConnectionSession(hook) if hook.conn_config else session.Environment()


def use_connection() -> None:
    """Have all code of the project in this process ask AWS by the connection, as it is now."""
    _connect.cache_clear()
    session.use(connected)
