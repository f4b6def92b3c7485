"""The command line refuses what cannot work, in words, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from include.launcher import config, identities, source
from include.launcher.api import AirflowApi
from include.launcher.errors import LaunchError
from include.launcher.processes import Process
from tests.conftest import ROOT, free_port
from tests.launcher.launching import launch


@pytest.mark.system
@pytest.mark.parametrize("setting", ["SCONES_CLOUD_PORT", "SCONES_AIRFLOW_PORT"])
def test_a_taken_port_is_named(tmp_path: Path, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = {"SCONES_CLOUD_PORT": str(free_port()), "SCONES_AIRFLOW_PORT": str(free_port())}
        done = launch("up", tmp_path, **(ports | {setting: port}))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in done.stdout
    assert f"set {setting} to a free port" in done.stdout
    assert not list((tmp_path / "run").glob("*.json"))


@pytest.mark.system
def test_two_launches_at_once_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "launcher.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = launch("down", tmp_path)
    assert done.returncode == 1
    assert "another launch is at work" in done.stdout


@pytest.mark.system
def test_the_status_names_what_is_down_and_waits_for_nobody(tmp_path: Path) -> None:
    running = Process("airflow-triggerer", tmp_path / "run")
    running.start([sys.executable, "-c", "import time; time.sleep(600)"], dict(os.environ), tmp_path)
    with (tmp_path / "launcher.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = launch("status", tmp_path)
    running.stop()
    assert done.returncode == 1
    assert "airflow-triggerer: running, pid " in done.stdout
    assert "airflow-scheduler: stopped" in done.stdout
    down = "local-cloud, postgres, airflow-api-server, airflow-scheduler, airflow-dag-processor, supervisor"
    assert f"not healthy: {down}. `make up` starts what is missing; logs: {tmp_path / 'run'}" in done.stdout


@pytest.mark.system
@pytest.mark.parametrize("value", ["http", "", "0", "65536", "-1"])
def test_a_port_that_is_none_is_named(tmp_path: Path, value: str) -> None:
    done = launch("up", tmp_path, SCONES_CLOUD_PORT=value)
    assert done.returncode == 1
    assert f"SCONES_CLOUD_PORT is {value!r}: set it to a port, from 1 to 65535" in done.stdout


@pytest.mark.system
def test_a_home_that_cannot_be_made_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = launch("up", tmp_path / "file" / "home")
    assert done.returncode == 1
    assert "Not a directory" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.system
def test_an_airflow_that_does_not_answer_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"Airflow does not answer at .*: `make status` says what runs"):
        AirflowApi(config.Config("local", tmp_path, free_port(), free_port()))


@pytest.mark.system
def test_aws_without_credentials_is_refused_before_anything_starts(tmp_path: Path) -> None:
    bare = {name: "" for name in os.environ if name.startswith("AWS_")} | {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    bare.pop("AWS_ENDPOINT_URL", None)
    done = launch("up --target aws", tmp_path, **bare)
    assert done.returncode == 1
    assert "AWS cannot be used" in done.stdout
    assert not (tmp_path / "run").exists()


@pytest.mark.system
def test_a_home_serves_one_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("aws")
    done = launch("up", tmp_path)
    assert done.returncode == 1
    assert "belongs to the target aws" in done.stdout


@pytest.mark.system
def test_a_report_on_a_fresh_home_says_in_one_sentence_what_to_run_first(tmp_path: Path) -> None:
    ports = {"SCONES_CLOUD_PORT": str(free_port()), "SCONES_AIRFLOW_PORT": str(free_port())}
    done = launch("report --date 2026-01-31", tmp_path, **ports)
    assert done.returncode == 1
    _starting, *said = done.stdout.splitlines()
    bucket = "scones-unlimited-000000000000-us-east-1"
    assert said == [f"there is no report of 2026-01-31: there is no bucket {bucket}: run cifar_etl first"]
    assert done.stderr == ""


@pytest.mark.system
def test_a_word_for_a_date_is_refused_before_anything_starts(tmp_path: Path) -> None:
    done = launch("report --date yesterday", tmp_path)
    assert done.returncode == 2
    assert "'yesterday' is no day: write it like 2026-01-31" in done.stderr
    assert not (tmp_path / "run").exists()


def test_secrets_are_random_and_private(tmp_path: Path) -> None:
    first = config.Config("local", tmp_path / "a", 1, 2)
    second = config.Config("local", tmp_path / "b", 1, 2)
    assert first.password() == first.password() != second.password()
    environment = first.environment()
    assert environment["AIRFLOW__API_AUTH__JWT_SECRET"] != second.environment()["AIRFLOW__API_AUTH__JWT_SECRET"]
    secrets = [*first.airflow_home.glob("*.secret"), first.airflow_home / "passwords.json"]
    assert len(secrets) == 4
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets)


def test_the_local_target_overrides_the_users_aws_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("SCONES_AWS_CONN_ID", "works_own")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://id:secret@")
    local = config.Config("local", tmp_path, 4000, 2)
    assert local.aws_environment()["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4000"
    environment = local.environment()
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} & set(environment)
    connection = json.loads(environment["AIRFLOW_CONN_AWS_DEFAULT"])
    assert connection["login"] == local.aws_environment()["AWS_ACCESS_KEY_ID"]
    assert connection["extra"] == {"endpoint_url": "http://127.0.0.1:4000", "region_name": "us-east-1"}
    assert environment["SCONES_AWS_CONN_ID"] == "aws_default"
    assert config.Config("aws", tmp_path, 4000, 2).environment()["AWS_PROFILE"] == "work"


@pytest.mark.parametrize(("component", "role"), [("api-server", "r"), ("scheduler", "w"), ("dag-processor", "w")])
def test_airflows_processes_work_as_roles(tmp_path: Path, component: str, role: str) -> None:
    assert identities.role(tmp_path, component) == ""
    (tmp_path / "identities.json").write_text('{"WorkersRoleArn": "w", "ReadersRoleArn": "r"}')
    found = identities.role(tmp_path, component)
    for target, sts in (("local", "http://127.0.0.1:4000"), ("aws", None)):
        environment = config.Config(cast("config.Target", target), tmp_path, 4000, 2).environment(found)
        extra = json.loads(environment["AIRFLOW_CONN_AWS_DEFAULT"])["extra"]
        assert extra["role_arn"] == role
        assert extra.get("service_config", {}).get("sts", {}).get("endpoint_url") == sts


def test_children_get_what_they_need_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCONES_ALERTS", "AIRFLOW_VAR_X", "HTTPS_PROXY", "DATABASE_PASSWORD", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.setenv(name, "given")
    environment = config.Config("local", tmp_path, 4000, 2).environment()
    assert {environment[name] for name in ("SCONES_ALERTS", "AIRFLOW_VAR_X", "HTTPS_PROXY")} == {"given"}
    assert not {"DATABASE_PASSWORD", "AWS_WEB_IDENTITY_TOKEN_FILE"} & set(environment)
    assert "DATABASE_PASSWORD" not in config.Config("aws", tmp_path / "aws", 4000, 2).environment()


@pytest.mark.system
def test_a_shell_is_set_up_by_what_aws_env_prints(tmp_path: Path) -> None:
    done = launch("aws-env", tmp_path, AWS_PROFILE="work", AWS_SESSION_TOKEN="theirs", SCONES_CLOUD_PORT="4599")
    assert done.returncode == 0, done.stdout
    shell = f"{done.stdout}\nexport -p"
    seen = subprocess.run(
        ["sh", "-c", shell], env={"AWS_PROFILE": "work"}, capture_output=True, text=True, timeout=30, check=True
    ).stdout
    key = config.Config("local", tmp_path, 4599, 2).aws_environment()
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert f"export {name}='{key[name]}'" in seen
    assert "AWS_PROFILE" not in seen
    assert launch("aws-env --target aws", tmp_path).returncode == 1


@pytest.mark.system
def test_an_older_home_is_closed_to_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "airflow").mkdir(parents=True)
    (home / "airflow" / "airflow.db").write_text("")
    for path in (home, home / "airflow"):
        path.chmod(0o755)
    (home / "airflow" / "airflow.db").chmod(0o644)
    assert launch("down", home).returncode == 0
    modes = [(home / name).stat().st_mode & 0o777 for name in (".", "airflow", "airflow/airflow.db", "launcher.lock")]
    assert modes == [0o700, 0o700, 0o600, 0o600]


def test_an_archive_that_was_given_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_ARCHIVE", "some/archive.tar.gz")
    monkeypatch.setenv("SCONES_ARCHIVE_SHA256", "0" * 64)
    chosen = source.choose(config.Config("local", tmp_path, 1, 2))
    assert chosen.conf == {"archive": str(Path("some/archive.tar.gz").resolve()), "sha256": "0" * 64}
    assert chosen.settings == {"SCONES_ARCHIVE": chosen.conf["archive"], "SCONES_ARCHIVE_SHA256": "0" * 64}
    monkeypatch.setenv("SCONES_ARCHIVE", "s3://bucket/a.tar.gz")
    assert source.choose(config.Config("local", tmp_path, 1, 2)).conf["archive"] == "s3://bucket/a.tar.gz"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that nobody answers on: the network as it looks when there is none."""
    monkeypatch.delenv("SCONES_ARCHIVE", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")


@pytest.mark.system
@pytest.mark.usefixtures("offline")
def test_without_the_network_the_sample_is_drawn_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEPT_ARCHIVE", tmp_path / "none.tar.gz")
    chosen = source.choose(config.Config("local", tmp_path, 1, 2))
    assert "GENERATED SAMPLE" in chosen.warning
    assert Path(chosen.conf["archive"]).is_file()


@pytest.mark.system
@pytest.mark.usefixtures("offline")
def test_without_the_network_the_archive_kept_in_the_checkout_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "cifar-100-python.tar.gz"
    kept.touch()
    monkeypatch.setattr(source, "KEPT_ARCHIVE", kept)
    chosen = source.choose(config.Config("local", tmp_path, 1, 2))
    assert chosen.conf == {"archive": str(kept)}
    assert f"Taking the archive kept at {kept}" in chosen.warning


def test_no_place_outside_the_checkout_is_known() -> None:
    assert source.KEPT_ARCHIVE.is_relative_to(ROOT)
    parents = [path for path in (ROOT / "include").rglob("*.py") if "ROOT.parent" in path.read_text()]
    assert parents == []


@pytest.mark.system
@pytest.mark.usefixtures("offline")
def test_without_the_network_aws_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="set SCONES_ARCHIVE to another archive"):
        source.choose(config.Config("aws", tmp_path, 1, 2))
