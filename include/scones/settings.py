"""Where the project's environment names are read, at call time; the AWS ones (region, credentials) are boto3's own."""

from __future__ import annotations

import os
from dataclasses import dataclass

from include.scones.errors import SettingsError
from include.scones.s3_layout import CAPTURES, s3_uri

CLASS_NAMES = {8: "bicycle", 48: "motorcycle"}
THRESHOLD = 0.93
# Begins the InferenceId of requests that measure the endpoint with known images: they are no traffic.
MEASUREMENT = "scones-measurement"
# Begins the InferenceId of the invented requests of `make demo`: they are traffic, and say what they are.
DEMO = "scones-demo"
CIFAR_100_URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"


@dataclass(frozen=True)
class Settings:
    """The names of everything the project makes in one AWS account and region.

    `project` prefixes every resource name, so that two projects can live in one account. `alerts` is the e-mail or web
    address that alarms go to; nobody hears of them where it is empty.
    """

    project: str
    region: str
    account: str
    bucket: str
    alerts: str = ""

    @property
    def endpoint(self) -> str:
        return f"{self.project}-endpoint"

    @property
    def foundation_stack(self) -> str:
        return f"{self.project}-foundation"

    @property
    def inference_stack(self) -> str:
        return f"{self.project}-inference"

    @property
    def batch_stack(self) -> str:
        return f"{self.project}-batch"

    @property
    def capture_uri(self) -> str:
        return s3_uri(self.bucket, CAPTURES.rstrip("/"))


def load() -> Settings:
    """Read the settings from the environment, and the account from STS.

    Raises:
        SettingsError: no region is set.
    """
    import boto3  # takes long, and who only needs the names above does without

    session = boto3.session.Session()
    if not session.region_name:
        raise SettingsError("no AWS region is set: set AWS_DEFAULT_REGION, for example to us-east-1")
    account = session.client("sts").get_caller_identity()["Account"]
    project = os.environ.get("SCONES_PROJECT", "scones-unlimited")
    bucket = os.environ.get("SCONES_BUCKET", f"{project}-{account}-{session.region_name}")
    return Settings(
        project=project,
        region=session.region_name,
        account=account,
        bucket=bucket,
        alerts=os.environ.get("SCONES_ALERTS", ""),
    )


def default_archive() -> tuple[str, str | None]:
    """What `cifar_etl` starts from unless its form says otherwise, the published archive if unset, and its checksum."""
    return os.environ.get("SCONES_ARCHIVE") or CIFAR_100_URL, os.environ.get("SCONES_ARCHIVE_SHA256") or None
