"""A home is not forgotten while AWS has something of its runs, and a teardown lists before it deletes."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from include.launcher import places
from include.launcher.config import Config
from include.launcher.errors import LaunchError
from include.launcher.teardown import clean
from include.scones.settings import Settings
from include.scones.teardown.plan import EVERYTHING, execute, plan
from tests.conftest import REGION, ROOT, Cloud, free_port
from tests.launcher.launching import launch


@pytest.fixture
def here(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A project of its own that has an empty bucket."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    project = f"clean-{uuid.uuid4().hex[:8]}"
    made = Settings(project, REGION, "000000000000", f"{project}-bucket")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=made.bucket)
    s3.put_bucket_tagging(Bucket=made.bucket, Tagging={"TagSet": [{"Key": "Project", "Value": project}]})
    yield made
    execute(made, plan(made, EVERYTHING))


@pytest.fixture
def home(tmp_path: Path, here: Settings) -> Path:
    """A home whose runs have made what `here` has."""
    (tmp_path / "target").write_text("aws")
    places.remember(tmp_path, here)
    return tmp_path


def test_a_place_is_remembered_once(tmp_path: Path) -> None:
    first, second = (Settings(name, REGION, "000000000000", "bucket") for name in ("one", "two"))
    for here in (first, second, first):
        places.remember(tmp_path, here)
    assert places.remembered(tmp_path) == [first, second]


def refusal(home: Path) -> str:
    """Why the home is not forgotten."""
    with pytest.raises(LaunchError) as refused:
        clean(Config("aws", home, 1, 2), print, force=False)
    return str(refused.value)


def test_a_home_is_not_forgotten_before_what_it_made(home: Path, here: Settings) -> None:
    said = refusal(home)
    assert f"{home} stays, for {here.project} still has 1 resources in account {here.account}, {REGION}" in said
    assert f"- bucket {here.bucket}\n" in said
    assert f"make teardown TARGET=aws SCOPE=everything CONFIRM={here.project}" in said
    assert said.endswith("make clean FORCE=1")
    execute(here, plan(here, EVERYTHING))
    clean(Config("aws", home, 1, 2), print, force=False)


def test_a_home_is_forgotten_by_force(home: Path, here: Settings) -> None:
    clean(Config("aws", home, 1, 2), print, force=True)
    assert [resource.name for resource in plan(here, EVERYTHING)] == [here.bucket]


@pytest.mark.parametrize("remembers", [True, False])
def test_who_cannot_ask_aws_does_not_forget_a_home(
    home: Path, monkeypatch: pytest.MonkeyPatch, remembers: bool
) -> None:
    if not remembers:
        (home / "places.json").unlink()  # as an older home
    with monkeypatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "x" * 40)
        said = refusal(home)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert "it is not known what is left of its runs on AWS: " in said
    assert said.endswith("make clean FORCE=1")


def test_another_accounts_credentials_do_not_forget_a_home(home: Path) -> None:
    known = json.loads((home / "places.json").read_text())
    (home / "places.json").write_text(json.dumps([known[0] | {"account": "111111111111"}]))
    assert "account 111111111111 has it, and these credentials are of 000000000000" in refusal(home)


@pytest.mark.system
@pytest.mark.parametrize(
    ("places_there", "why"),
    [(("Makefile", "include", ".venv"), "stays, for it is not known"), (("Makefile",), "AWS may still have something")],
)
def test_make_clean_leaves_a_home_that_is_refused(tmp_path: Path, places_there: tuple[str, ...], why: str) -> None:
    """Beside links to the checkout's own, for the folder that it removes is that of the Makefile."""
    for name in places_there:
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "target").write_text("aws")
    nowhere = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "AWS_DEFAULT_REGION": REGION}
    key = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "300"} | nowhere | key
    command = ["make", "-C", str(tmp_path), "clean"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert why in done.stdout + done.stderr
    assert (tmp_path / ".local" / "target").exists()
    command.append("FORCE=1")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / ".local").exists()


def test_a_teardown_lists_until_it_is_confirmed(tmp_path: Path, here: Settings, cloud: Cloud) -> None:
    environment = cloud.environment | {"SCONES_PROJECT": here.project, "SCONES_BUCKET": here.bucket}
    done = launch("teardown --target aws --scope everything", tmp_path, **environment)
    assert done.returncode == 0, done.stdout
    assert here.bucket in done.stdout
    line = f"make teardown TARGET=aws SCOPE=everything CONFIRM={here.project}"
    assert f"Nothing is deleted. This deletes it: {line}" in done.stdout
    done = launch("teardown --target aws --scope everything --confirm another", tmp_path, **environment)
    assert done.returncode == 1
    assert f"nothing is deleted: type the project's name, {here.project}, into confirm" in done.stdout
    assert not list((tmp_path / "run").glob("*.json"))
    assert [resource.name for resource in plan(here, EVERYTHING)] == [here.bucket]


def test_where_there_is_nothing_a_teardown_starts_nothing(tmp_path: Path, cloud: Cloud) -> None:
    project = f"nothing-{uuid.uuid4().hex[:8]}"
    environment = cloud.environment | {"SCONES_PROJECT": project}
    done = launch(f"teardown --target aws --confirm {project}", tmp_path, **environment)
    assert done.returncode == 0, done.stdout
    assert "What endpoint covers: nothing" in done.stdout
    assert not list((tmp_path / "run").glob("*.json"))
