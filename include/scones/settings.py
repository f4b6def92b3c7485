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
BUILT_IN, OWN = "built-in", "own"  # SageMaker's algorithm, or the project's container
# What trains where nothing else is set: the built-in algorithm does so on GPUs alone.
TRAINING_INSTANCES = {BUILT_IN: "ml.g4dn.xlarge", OWN: "ml.m5.xlarge"}
ENDPOINT_INSTANCE = "ml.m5.xlarge"
VARIANT = "AllTraffic"  # of the endpoint, the only one
MAX_BAKE_SECONDS = 3600  # of one step of the traffic
CIFAR_100_URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"


@dataclass(frozen=True)
class Settings:
    """The names of everything the project makes in one AWS account and region.

    `project` prefixes every resource name, so that two projects can live in one account. `alerts` is the e-mail or web
    address that alarms go to; nobody hears of them where it is empty. `algorithm` is BUILT_IN or OWN, and the instances
    are what trains and what serves. `stack_parameters` is what the operator chose of the templates' parameters, as
    `Name=value` words, `batch_inputs` the folders that batch_inference may read, as `s3://` addresses. The endpoint
    grows up to `max_instances`.
    """

    project: str
    region: str
    account: str
    bucket: str
    alerts: str = ""
    algorithm: str = BUILT_IN
    training_instance: str = TRAINING_INSTANCES[BUILT_IN]
    endpoint_instance: str = ENDPOINT_INSTANCE
    stack_parameters: str = ""
    max_instances: int = 1
    batch_inputs: str = ""

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
    def identities_stack(self) -> str:
        return f"{self.project}-identities"

    @property
    def batch_stack(self) -> str:
        return f"{self.project}-batch"

    @property
    def capture_uri(self) -> str:
        return s3_uri(self.bucket, CAPTURES.rstrip("/"))


def algorithm() -> str:
    """Raises `SettingsError` where it is neither BUILT_IN nor OWN."""
    value = os.environ.get("SCONES_ALGORITHM") or BUILT_IN
    if value not in TRAINING_INSTANCES:
        raise SettingsError(f"SCONES_ALGORITHM is {value!r}: set it to {' or '.join(TRAINING_INSTANCES)}")
    return value


def training_instance(algorithm: str) -> str:
    """What trains `algorithm`."""
    return os.environ.get("SCONES_TRAINING_INSTANCE") or TRAINING_INSTANCES[algorithm]


def endpoint_instance() -> str:
    return os.environ.get("SCONES_ENDPOINT_INSTANCE") or ENDPOINT_INSTANCE


def bake_seconds() -> int:
    """How long a new model is watched while it serves, before the old one ends.

    Raises:
        SettingsError: it is no number from 0 to 3600.
    """
    given = os.environ.get("SCONES_BAKE_SECONDS") or "0"
    if not given.isdecimal() or int(given) > MAX_BAKE_SECONDS:
        raise SettingsError(f"SCONES_BAKE_SECONDS is {given!r}: set a number from 0 to {MAX_BAKE_SECONDS}")
    return int(given)


def max_instances() -> int:
    """Up to how many instances the endpoint grows by its requests; 1 where it does not.

    Raises:
        SettingsError: it is no number from 1.
    """
    given = os.environ.get("SCONES_ENDPOINT_MAX_INSTANCES") or "1"
    if not given.isdecimal() or int(given) < 1:
        raise SettingsError(f"SCONES_ENDPOINT_MAX_INSTANCES is {given!r}: set a number from 1, which scales nothing")
    return int(given)


def batch_schedule() -> str | None:
    """When batch_inference runs by itself: a cron expression or Airflow's short form of one, in UTC."""
    return os.environ.get("SCONES_BATCH_SCHEDULE") or None


def batch_folder() -> str | None:
    """What batch_inference reads where a run names no other folder."""
    return os.environ.get("SCONES_BATCH_FOLDER") or None


def batch_inputs() -> str:
    """The folders that batch_inference may read besides the data sets; the scheduled runs' is one of them."""
    scheduled = (batch_folder() or "").partition("{{")[0]  # whatever the date
    return f"{os.environ.get('SCONES_BATCH_INPUTS', '')} {scheduled}".strip()


def load() -> Settings:
    """Read the settings from the environment; region and account are those of the session in use.

    Raises:
        SettingsError: no region is set.
    """
    from include.scones import session  # takes long, and who only needs the names above does without

    here = session.current()
    region = here.region()
    if not region:
        raise SettingsError(
            "no AWS region is set: set AWS_DEFAULT_REGION, or region_name in Airflow's connection, such as us-east-1"
        )
    account = here.client("sts", None, None).get_caller_identity()["Account"]
    project = os.environ.get("SCONES_PROJECT", "scones-unlimited")
    bucket = os.environ.get("SCONES_BUCKET", f"{project}-{account}-{region}")
    return Settings(
        project=project,
        region=region,
        account=account,
        bucket=bucket,
        alerts=os.environ.get("SCONES_ALERTS", ""),
        algorithm=algorithm(),
        training_instance=training_instance(algorithm()),
        endpoint_instance=endpoint_instance(),
        stack_parameters=os.environ.get("SCONES_STACK_PARAMETERS", ""),
        max_instances=max_instances(),
        batch_inputs=batch_inputs(),
    )


def default_archive() -> tuple[str, str | None]:
    """What `cifar_etl` starts from unless its form says otherwise, the published archive if unset, and its checksum."""
    return os.environ.get("SCONES_ARCHIVE") or CIFAR_100_URL, os.environ.get("SCONES_ARCHIVE_SHA256") or None
