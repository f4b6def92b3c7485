"""docker-compose.yaml as a running stack: its settings, its commands, its containers, and those who sign in."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.launcher.api import AirflowApi
from include.launcher.config import Config
from tests.compose.engine import Engine
from tests.conftest import REGION, ROOT, free_port

PROJECT = "scones-test"


def filled(example: str, **values: str) -> str:
    """The example's text with `values`, and with a secret of its own for every other name that is left empty."""
    text = (ROOT / example).read_text()
    for name, value in values.items():
        text = re.sub(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
    return re.sub(r"^([A-Z_]+)=$", lambda found: f"{found[1]}={secrets.token_hex(32)}", text, flags=re.MULTILINE)


def values(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))


@dataclass(frozen=True)
class Signed(Config):
    """For the API's client: where Airflow is, and the password of the first user."""

    secret: str = ""

    def password(self) -> str:
        return self.secret


class Stack:
    """The services of docker-compose.yaml under settings of their own in `folder`."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.airflow_port, self.cloud_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.airflow_port}"
        settings = filled(
            ".env.example",
            FERNET_KEY="Zm9yIHRoZSB0ZXN0cyBhbG9uZSwgMzIgYnl0ZXMgLi4=",
            AIRFLOW_PORT=str(self.airflow_port),
            AIRFLOW_URL=self.url,
            CLOUD_PORT=str(self.cloud_port),
            API_WORKERS="1",
        )
        cloud = filled("airflow.env.example", AWS_ACCESS_KEY_ID=f"AKIA{secrets.token_hex(8).upper()}")
        (folder / "env").write_text(f"{settings}\nAIRFLOW_ENV={folder / 'airflow.env'}\n")
        (folder / "airflow.env").write_text(cloud)
        self.settings, self.cloud = values(settings), values(cloud)

    @property
    def aws_environment(self) -> dict[str, str]:
        """The local cloud as this machine reaches it."""
        keys = {name: self.cloud[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        url = f"http://127.0.0.1:{self.cloud_port}"
        return keys | {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}

    def compose(self, *arguments: str, timeout: float = 300) -> str:
        options = ("--project-name", PROJECT, "--env-file", str(self.folder / "env"))
        return self.engine.run("docker-compose", *options, *arguments, timeout=timeout)

    def inside(self, service: str, *command: str, index: int = 1, timeout: float = 120) -> str:
        return self.engine.run("docker", "exec", f"{PROJECT}_{service}_{index}", *command, timeout=timeout)

    def health(self) -> dict[str, str]:
        """Each container's health; its state where none is looked at."""
        names = self.engine.run(
            "docker", "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}"
        )
        found: list[dict[str, Any]] = json.loads(self.engine.run("docker", "inspect", *names.split()))
        return {
            container["Name"]: container["State"].get("Health", container["State"])["Status"] for container in found
        }

    def check_seconds(self, service: str) -> float:
        """The CPU seconds that a service's health check takes a second."""
        name = f"{PROJECT}_{service}_1"
        (found,) = json.loads(self.engine.run("docker", "inspect", name))
        kind, *check = found["Config"]["Healthcheck"]["Test"]
        timed = 'TIMEFORMAT="%U %S"; { time "$@" > /dev/null 2>&1; } 2>&1'
        command = ("bash", "-c", timed, "check", *(("sh", "-c") if kind == "CMD-SHELL" else ()), *check)
        took = self.engine.run("docker", "exec", name, *command)
        every: int = found["Config"]["Healthcheck"]["Interval"]  # nanoseconds
        return sum(map(float, took.split())) / (every / 1e9)

    def api(self) -> AirflowApi:
        port = self.airflow_port
        return AirflowApi(Signed("local", self.folder, self.cloud_port, port, self.settings["ADMIN_PASSWORD"]))

    def add_user(self, name: str, role: str) -> str:
        """Another user, as docs/deploy-airflow.md says; gives the password."""
        password = secrets.token_hex(16)
        person = ("--firstname", name, "--lastname", "Scones", "--email", f"{name}@localhost")
        given = ("--username", name, "--role", role, "--password", password, *person)
        self.inside("api-server", "airflow", "users", "create", *given)
        return password
