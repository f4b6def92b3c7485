"""docker-compose.yaml as Docker Compose reads it: complete, pinned, closed to the outside, the stack of `make up`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from yaml import safe_load  # type: ignore[import-untyped]  # its types come in a package of their own

from include.launcher.config import Config
from tests.conftest import CLOUD_PYTHON, ROOT

AIRFLOW = ["api-server", "dag-processor", "init", "scheduler", "triggerer", "worker"]
SECRETS = ["POSTGRES_PASSWORD", "REDIS_PASSWORD", "API_SECRET_KEY", "JWT_SECRET", "ADMIN_PASSWORD", "FERNET_KEY"]
# What cannot be the same where every component is a container of its own.
DIFFERENT = {
    "AIRFLOW_HOME",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__API__HOST",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API__WORKERS",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__PARALLELISM",
    "AIRFLOW__CORE__PLUGINS_FOLDER",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW_CONN_AWS_DEFAULT",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "PYTHONPATH",
}
# What keeps the user's own AWS profiles out, of which a container has none.
OF_A_LAPTOP = {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"}

Compose = dict[str, Any]


def docker_compose(settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed (Debian: apt-get install docker-compose)")
    return subprocess.run(
        [program, "--env-file", str(settings), "--file", str(ROOT / "docker-compose.yaml"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
    )


def filled(folder: Path, **values: str) -> Path:
    """`.env.example` with its secrets filled in, as its comments ask for."""
    text = (ROOT / ".env.example").read_text()
    for name in SECRETS:
        text = re.sub(rf"^{name}=$", f"{name}={values.get(name, 'secretof' + name.lower())}", text, flags=re.MULTILINE)
    path = folder / "env"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Compose:
    done = docker_compose(filled(tmp_path_factory.mktemp("compose")), "config")
    assert done.returncode == 0, done.stderr
    content: Compose = safe_load(done.stdout)
    return content


def test_the_services_are_airflows_components_its_stores_and_the_cloud(compose: Compose) -> None:
    assert sorted(compose["services"]) == sorted([*AIRFLOW, "postgres", "redis", "cloud"])
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2
    assert compose["services"]["cloud"]["profiles"] == ["local-cloud"]
    assert [name for name, service in compose["services"].items() if service.get("profiles")] == ["cloud"]


def test_every_service_is_health_checked_but_the_one_that_ends(compose: Compose) -> None:
    unchecked = [name for name, service in compose["services"].items() if not service.get("healthcheck")]
    assert unchecked == ["init"]
    policies = {name: service["restart"] for name, service in compose["services"].items()}
    assert policies == dict.fromkeys(compose["services"], "unless-stopped") | {"init": "no"}
    for name in set(AIRFLOW) - {"init"}:
        waits_for = compose["services"][name]["depends_on"]
        assert waits_for["init"] == {"condition": "service_completed_successfully"}
        assert waits_for["postgres"] == waits_for["redis"] == {"condition": "service_healthy"}


def test_images_and_what_is_built_are_pinned(compose: Compose) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":\d+\.\d+[.\d]*(-[a-z]+)?$", service["image"]), (name, service["image"])
    for name in ("airflow", "cloud"):
        dockerfile = (ROOT / "include" / "infrastructure" / f"{name}.Dockerfile").read_text()
        (base,) = re.findall(r"^FROM (\S+)$", dockerfile, re.MULTILINE)
        assert re.search(r":\D*\d+\.\d+\.\d+-", base)
        assert "--require-hashes" in dockerfile


def locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def test_built_images_hold_the_locked_versions() -> None:
    client, compose, batch = locked("runtime.txt"), locked("compose.txt"), locked("batch.txt")
    assert {name: compose[name] for name in client} == client
    assert {name: client[name] for name in batch} == batch
    assert {"apache-airflow-providers-celery", "apache-airflow-providers-postgres", "redis"} <= set(compose)
    dockerfile = (ROOT / "include" / "infrastructure" / "airflow.Dockerfile").read_text()
    assert f"apache/airflow:slim-{client['apache-airflow']}-" in dockerfile


def test_the_cloud_has_the_environment_that_batch_jobs_run_in(compose: Compose, tmp_path: Path) -> None:
    asked = "from include.local_cloud.__main__ import images; print(*images(None)['scones-batch'])"
    told = subprocess.run([CLOUD_PYTHON, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    interpreter, *program = told.stdout.split()
    (mount,) = [volume for volume in compose["services"]["cloud"]["volumes"] if volume.startswith(f"{ROOT}/include:")]
    environment = PurePosixPath(mount.split(":")[1]).parent / Path(interpreter).relative_to(ROOT).parents[1]
    dockerfile = (ROOT / "include" / "infrastructure" / "cloud.Dockerfile").read_text()
    assert f"python -m venv {environment} " in dockerfile
    (lock,) = re.findall(rf"{environment}/bin/pip install .*--require-hashes --requirement (\S+)", dockerfile)
    assert (
        PurePosixPath(lock).name in re.findall(r"^COPY (.*) /tmp/requirements/$", dockerfile, re.MULTILINE)[0].split()
    )

    only = packages(tmp_path, locked(PurePosixPath(lock).name))
    done = subprocess.run(
        [sys.executable, "-S", *program, "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{only}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "--job" in done.stdout) == (0, True), done.stderr


def packages(folder: Path, versions: dict[str, str]) -> Path:
    """A folder with nothing but these packages, out of the tests' own environment, where they are the same."""
    for name, version in versions.items():
        assert metadata.version(name) == version
        for top in {file.parts[0] for file in metadata.files(name) or () if file.parts[0] not in ("..", "__pycache__")}:
            (folder / top).symlink_to(Path(str(metadata.distribution(name).locate_file(top))))
    return folder


def test_nothing_runs_as_root_or_gains_rights(compose: Compose) -> None:
    for name, service in compose["services"].items():
        assert service["user"].split(":")[0] not in {"", "0", "root"}, name
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service.get("privileged")


def test_the_local_cloud_takes_its_key_from_the_settings_and_is_known_by_its_name(compose: Compose) -> None:
    cloud = compose["services"]["cloud"]
    assert {"--key-from-environment", "--allow-host=cloud"} <= set(cloud["command"])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert name in cloud["environment"]
        assert f"{name}=\n" in (ROOT / ".env.example").read_text()


def test_ports_are_on_loopback_only(compose: Compose) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if service.get("ports")}
    assert sorted(published) == ["api-server", "cloud"]
    for ports in published.values():
        assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_environment_is_that_of_make_up(compose: Compose, tmp_path: Path) -> None:
    launched = Config(target="local", home=tmp_path, cloud_port=4566, airflow_port=8080)
    expected = launched.aws_environment() | {
        name: value
        for name, value in launched.environment().items()
        if name.startswith("AIRFLOW") or name == "PYTHONPATH"
    }
    for service in AIRFLOW:
        environment = compose["services"][service]["environment"]
        assert set(expected) - OF_A_LAPTOP <= set(environment), service
        for name in set(expected) - DIFFERENT - set(launched.aws_environment()):
            assert str(environment[name]) == expected[name], (service, name)
        assert environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
        assert environment["AWS_ENDPOINT_URL"] == "http://cloud:4566"


def test_code_is_the_checkouts_and_cannot_be_changed(compose: Compose) -> None:
    mounted = {f"{ROOT / name}:/opt/scones/{name}:ro" for name in ("dags", "plugins", "include", "lambdas")}
    for service in set(AIRFLOW) - {"init"}:
        volumes = set(compose["services"][service]["volumes"])
        assert mounted <= volumes
        assert f"{ROOT / 'step_function.json'}:/opt/scones/step_function.json:ro" in volumes
        environment = compose["services"][service]["environment"]
        assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == "/opt/scones/dags"
        assert environment["PYTHONPATH"] == "/opt/scones"


@pytest.mark.system
def test_no_secret_comes_with_the_files(compose: Compose, tmp_path: Path) -> None:
    assert json.dumps(compose).count("secretof") >= len(SECRETS)
    for name in SECRETS:
        refused = docker_compose(filled(tmp_path, **{name: ""}), "config")
        assert refused.returncode != 0, name
        assert ".env.example" in refused.stderr
