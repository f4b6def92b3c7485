"""A real Airflow API server with the project's plugin and DAGs, users of each role, and nothing that runs tasks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import httpx
import jwt
import pytest

from include.scones.settings import Settings
from tests.conftest import REGION, ROOT, Cloud, free_port
from tests.waiting import eventually

AIRFLOW = ROOT / ".venv" / "bin" / "airflow"
USERS = {"anna": "user", "victor": "viewer", "olga": "admin"}
SECRET = "a secret of the tests that is long enough for HS512 signatures, 64 bytes"
PROJECT = "tuner-tests"
HERE = Settings(PROJECT, REGION, "000000000000", f"{PROJECT}-000000000000-{REGION}")

SignIn = Callable[[str | None], httpx.Client]


def environment(home: Path, port: int) -> dict[str, str]:
    """Without anything of AWS, which is in a connection."""
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({name: f"{name}'s password" for name in USERS}))
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": SECRET,
        "PYTHONPATH": str(ROOT),
        "SCONES_PROJECT": PROJECT,
    }


@pytest.fixture(scope="session")
def server(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    home, port = tmp_path_factory.mktemp("airflow"), free_port()
    env = environment(home, port)
    (home / "dags").mkdir()
    for name in ("inference_workflow.py", "capture_report.py"):
        shutil.copy(ROOT / "dags" / name, home / "dags")
    for command in (["db", "migrate"], ["dags", "reserialize"]):
        done = subprocess.run([AIRFLOW, *command], env=env, cwd=ROOT, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
    url = f"http://127.0.0.1:{port}"
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen([AIRFLOW, "api-server"], env=env, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait(process, url, home / "server.log")
            add_connection(url, cloud)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            pytest.fail(f"the API server did not start:\n{log.read_text()[-4000:]}")
        try:
            return httpx.get(f"{url}/api/v2/version", timeout=5).is_success
        except httpx.TransportError:
            return False

    eventually(answers, seconds=120, what=f"the start of the API server; its log is {log}")


def add_connection(url: str, cloud: Cloud) -> None:
    """In Airflow's database, where a Variable names it."""
    connection = {
        "connection_id": "local_cloud",
        "conn_type": "aws",
        "login": cloud.key["AWS_ACCESS_KEY_ID"],
        "password": cloud.key["AWS_SECRET_ACCESS_KEY"],
        "extra": json.dumps({"endpoint_url": cloud.url, "region_name": REGION}),
    }
    with httpx.Client(base_url=url, timeout=60) as admin:
        signed_in = admin.post("/auth/token", json={"username": "olga", "password": "olga's password"})
        admin.headers["Authorization"] = f"Bearer {signed_in.raise_for_status().json()['access_token']}"
        admin.post("/api/v2/connections", json=connection).raise_for_status()
        variable = {"key": "scones_aws_conn_id", "value": connection["connection_id"]}
        admin.post("/api/v2/variables", json=variable).raise_for_status()


@pytest.fixture(scope="session")
def sign_in(server: str) -> Iterator[SignIn]:
    """Clients with a user's session cookie, as a browser has it; None has none, and nora has a session but no right."""
    clients: dict[str | None, httpx.Client] = {}

    def token(user: str) -> str:
        if user == "nora":
            claims = jwt.decode(token("victor"), options={"verify_signature": False}) | {"sub": "nora", "role": None}
            return jwt.encode(claims, SECRET, "HS512")
        body = {"username": user, "password": f"{user}'s password"}
        answer = httpx.post(f"{server}/auth/token", json=body, timeout=60).raise_for_status()
        return str(answer.json()["access_token"])

    def client(user: str | None) -> httpx.Client:
        if user not in clients:
            clients[user] = httpx.Client(base_url=server, timeout=60)
            if user is not None:
                clients[user].cookies.set("_token", token(user))
        return clients[user]

    yield client
    for opened in clients.values():
        opened.close()


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> Iterator[str]:
    """The project's bucket, which is there for as long as the module's tests."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=HERE.bucket)
    yield HERE.bucket
    for item in s3.list_objects_v2(Bucket=HERE.bucket).get("Contents", []):
        s3.delete_object(Bucket=HERE.bucket, Key=item["Key"])
    s3.delete_bucket(Bucket=HERE.bucket)
