"""The laptop's PostgreSQL: made once, behind its password, there again after it was killed, also where root runs it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2  # type: ignore[import-untyped]  # its types come in a package of their own
import pytest

from include.launcher.database import Database
from include.launcher.errors import LaunchError
from include.launcher.processes import Process
from include.local_cloud.private import inherited
from tests.waiting import eventually

pytestmark = pytest.mark.system


@pytest.fixture
def database(tmp_path: Path) -> Database:
    # Nobody but its owner reaches the folder, as in a home.
    tmp_path.chmod(0o700)
    password = tmp_path / "secret"
    password.write_text(secrets.token_urlsafe(8))
    return Database(tmp_path / "database", password)


@pytest.fixture
def process(database: Database, tmp_path: Path) -> Iterator[Process]:
    database.create()
    process = Process("postgres", tmp_path / "run")
    serve(database, process)
    yield process
    process.stop()


def serve(database: Database, process: Process) -> None:
    process.start(database.command, inherited(), process.folder.parent)
    eventually(lambda: process.check() or database.is_ready(), what="the start of PostgreSQL")


def ask(database: Database, statement: str, url: str = "") -> list[tuple[object, ...]]:
    connection = psycopg2.connect((url or database.url).replace("+psycopg2", ""))
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchall() if cursor.description else []
    connection.close()
    return found


def test_what_was_committed_outlives_a_kill(database: Database, process: Process) -> None:
    ask(database, "create table kept (value int); insert into kept values (7)")
    found = process.find()
    assert found
    for member in [found, *found.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # PostgreSQL's processes end by themselves without their parent
            member.kill()
    eventually(lambda: process.find() is None)
    database.create()
    serve(database, process)
    assert ask(database, "select value from kept") == [(7,)]


def test_nobody_is_let_in_without_the_password(database: Database, process: Process) -> None:
    assert process.find()
    assert ask(database, "select current_user") == [("airflow",)]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask(database, "select 1", database.url.replace(database.password.read_text(), "guessed"))
    assert (database.folder / "data").stat().st_mode & 0o077 == 0


def test_what_was_left_half_made_is_made_anew(database: Database) -> None:
    left = database.folder / "data.part" / "PG_VERSION"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    database.create()
    assert (database.folder / "data" / "PG_VERSION").read_text().strip() == "18"
    assert not left.exists()


def test_why_it_cannot_be_made_is_said(database: Database) -> None:
    database.password.write_text("")
    with pytest.raises(LaunchError, match=r"(?s)cannot be made in .*password file .* is empty"):
        database.create()
