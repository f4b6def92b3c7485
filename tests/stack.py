"""A whole stack, started as `make up` starts it, on free ports and with its data in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from include.launcher.api import AirflowApi
from include.launcher.config import Config
from include.scones.cifar.sample import write_sample
from tests.conformance import record
from tests.conftest import ROOT, free_port

BUCKET = "scones-unlimited-000000000000-us-east-1"
MARK = "marked-secret-of-the-shell"  # what the user's shell holds and no process of the stack may see


@dataclass
class Launcher:
    """The launcher's command line over one home."""

    config: Config
    environment: dict[str, str]

    def __call__(self, command: str, timeout: float = 540) -> str:
        """Run a command to its good end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "include.launcher", *command.split()],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def api(self) -> AirflowApi:
        return AirflowApi(self.config)


def prepare(home: Path) -> Launcher:
    """A launcher over `home`; its archive is a small drawn sample, so that thirty epochs take seconds."""
    archive = write_sample(home / "sample.tar.gz", train=60, test=20)
    config = Config("local", home, free_port(), free_port())
    record(config.cloud_data)
    environment = dict(os.environ) | {
        "SCONES_HOME": str(home),
        "SCONES_CLOUD_PORT": str(config.cloud_port),
        "SCONES_AIRFLOW_PORT": str(config.airflow_port),
        "SCONES_ARCHIVE": str(archive),
        "SCONES_ALERTS": "somebody@example.com",
        "SCONES_BATCH_INPUTS": f"s3://{BUCKET}/odd/ s3://{BUCKET}/nothing/",
        "COLUMNS": "200",
        # No test changes a DAG file, and to read all of them again takes a second of the processor's time each.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "PASSWORD_OF_SOMETHING_ELSE": MARK,
        "AWS_SESSION_TOKEN": MARK,
        "AWS_PROFILE": MARK,
    }
    return Launcher(config, environment)
