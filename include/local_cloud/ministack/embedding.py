"""MiniStack, set up to run inside this process: its settings are environment names, read once when it is imported."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from starlette.types import ASGIApp

from ..account import ACCOUNT, DEFAULT_REGION
from ..authentication.keys import KeyRing
from ..clock import Clock
from . import patches

# What this project uses and what that depends on. The rest stays out: it opens ports of its own (iot, transfer, the
# databases), wants Docker, or only pretends to work (batch).
SERVICES = (
    "account,cloudformation,dynamodb,dynamodbstreams,ecr,events,iam,kms,lambda,logs,monitoring,organizations,"
    "resource-groups,s3,scheduler,secretsmanager,sns,sqs,ssm,states,sts,tagging"
)


def configure(host: str, port: int, url: str, data: Path, keys: KeyRing) -> None:
    """Set the environment; everything that MiniStack writes then lies under `data`. Call it before `load`."""
    scratch = data / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)  # what functions unpacked before a kill -9
    scratch.mkdir(parents=True)
    os.environ.update(
        {
            # By its id MiniStack knows the account's root user. The secret is not here: functions inherit these names.
            "AWS_ACCESS_KEY_ID": keys.root.id,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": host,
            "BIND_HOST": host,
            "GATEWAY_PORT": str(port),
            "AWS_ENDPOINT_URL": url,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": DEFAULT_REGION,
            "SERVICES": SERVICES,
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(data / "s3"),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(data / "state"),
            "TMPDIR": str(scratch),
            "LAMBDA_EXECUTOR": "local",
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        }
    )


def load(keys: KeyRing, clock: Clock) -> ASGIApp:
    """MiniStack with its patches. Raises `PatchError`."""
    from ministack.app import app

    patches.install(keys, clock)
    application: ASGIApp = app
    return application
