"""Paths, ports and the environment that every process of the stack gets; the only place that knows the two targets."""

from __future__ import annotations

import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from include.launcher.database import Database
from include.launcher.errors import LaunchError
from include.local_cloud.account import ACCOUNT
from include.local_cloud.authentication.keys import KeyRing
from include.local_cloud.errors import KeyFileError
from include.local_cloud.private import inherited

ROOT = Path(__file__).resolve().parents[2]
Target = Literal["local", "aws"]
LOCAL_REGION = "us-east-1"
USER = "admin"
# How a machine reaches the network at all; part of what Airflow's processes inherit.
_NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
# The user's own profiles are for other clouds.
_NO_OTHER_CLOUD = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Config:
    """One stack: its target, where it keeps its state, and the two loopback ports it listens on."""

    target: Target
    home: Path
    cloud_port: int
    airflow_port: int

    @property
    def airflow_home(self) -> Path:
        return self.home / "airflow"

    @property
    def cloud_data(self) -> Path:
        return self.home / "cloud"

    @property
    def airflow_url(self) -> str:
        return f"http://127.0.0.1:{self.airflow_port}"

    @property
    def cloud_url(self) -> str:
        return f"http://127.0.0.1:{self.cloud_port}"

    def aws_environment(self) -> dict[str, str]:
        """All that boto3 looks at: the user's own AWS environment, or the local cloud's address and key."""
        if self.target == "aws":
            return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        try:
            self.cloud_data.mkdir(parents=True, exist_ok=True)
            key = KeyRing.open(self.cloud_data, ACCOUNT).root
        except (OSError, KeyFileError) as error:
            raise LaunchError(f"the local cloud's access key cannot be had: {error}") from error
        return {
            "AWS_ENDPOINT_URL": self.cloud_url,
            "AWS_DEFAULT_REGION": LOCAL_REGION,
            "AWS_REGION": LOCAL_REGION,
            **key.environment(),
            **_NO_OTHER_CLOUD,
        }

    def environment(self, role: str = "") -> dict[str, str]:
        """The whole environment of Airflow's processes: what they need, and nothing else of the user's shell.

        `role` is the ARN of the one that a process works as; it has the caller's own rights without one.
        """
        settings = {name: value for name, value in os.environ.items() if name.startswith(("SCONES_", "AIRFLOW_"))}
        network = {name: os.environ[name] for name in _NETWORK if name in os.environ}
        return inherited() | network | settings | self._connection(role) | self._airflow_environment()

    def _connection(self, role: str) -> dict[str, str]:
        """Airflow's connection: the local cloud's with its address and key in it, or the user's own environment."""
        environment = self.aws_environment()
        extra: dict[str, Any] = {"role_arn": role} if role else {}
        connection: dict[str, Any] = {"conn_type": "aws", "extra": extra}
        if self.target == "local":
            connection |= {"login": environment["AWS_ACCESS_KEY_ID"], "password": environment["AWS_SECRET_ACCESS_KEY"]}
            # Airflow asks for the role at an address of its own.
            sts = {"service_config": {"sts": {"endpoint_url": self.cloud_url}}} if role else {}
            extra |= {"endpoint_url": self.cloud_url, "region_name": LOCAL_REGION, **sts}
            environment = _NO_OTHER_CLOUD
        return environment | {
            "SCONES_AWS_CONN_ID": "aws_default",
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        }

    def _airflow_environment(self) -> dict[str, str]:
        passwords = self.airflow_home / "passwords.json"
        return {
            "AIRFLOW_HOME": str(self.airflow_home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.airflow_port),
            "AIRFLOW__API__BASE_URL": self.airflow_url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": self._secret("api").read_text(),
            "AIRFLOW__API_AUTH__JWT_SECRET": self._secret("jwt").read_text(),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database.url,
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
            "AIRFLOW__TRIGGERER__CAPACITY": "100",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            # Its own default lets a group read and write them.
            "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
            "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    @property
    def database(self) -> Database:
        return Database(self.home / "database", self._secret("database"))

    def _secret(self, name: str) -> Path:
        """The file of a random secret of this stack, made once in its own home, readable by its owner only."""
        path = self.airflow_home / f"{name}.secret"
        if not path.exists():
            self.airflow_home.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path

    def password(self) -> str:
        """The password of `USER`, made once; the simple auth manager reads the same file."""
        path = self.airflow_home / "passwords.json"
        if not path.exists():
            self.airflow_home.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(json.dumps({USER: secrets.token_urlsafe(12)}))
        return str(json.loads(path.read_text())[USER])


def load(target: Target) -> Config:
    """The stack of this checkout; `SCONES_CLOUD_PORT`, `SCONES_AIRFLOW_PORT` and `SCONES_HOME` move it."""
    return Config(
        target=target,
        home=Path(os.environ.get("SCONES_HOME", ROOT / ".local")).resolve(),
        cloud_port=_port("SCONES_CLOUD_PORT", "4566"),
        airflow_port=_port("SCONES_AIRFLOW_PORT", "8080"),
    )


def _port(setting: str, default: str) -> int:
    value = os.environ.get(setting, default)
    if not (value.isdecimal() and 0 < int(value) < 1 << 16):
        raise LaunchError(f"{setting} is {value!r}: set it to a port, from 1 to 65535")
    return int(value)
