"""Clients of AWS, made in one place; and what AWS says of something that is not there, service by service."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from include.scones import session
from include.scones.aws import clients
from include.scones.aws.missing import is_missing
from tests.conftest import ROOT, Cloud

FOLDERS = ("include/scones", "include/operators", "include/pages", "include/launcher", "dags", "plugins")
NOWHERE = "no-such-thing"


def test_no_other_module_makes_a_client() -> None:
    makers = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"boto3\.(client|resource)\(|boto3\.(session\.)?Session\(", path.read_text())
    }
    # The launcher says, before anything else is there, which account the user's environment is of.
    assert makers == {"include/scones/session.py", "include/launcher/conditions.py"}, (
        "use include/scones/aws/clients.py"
    )


def test_what_is_not_said_is_the_default(cloud: Cloud) -> None:
    config = clients.connect("sqs", config=Config(read_timeout=7)).meta.config
    assert (config.read_timeout, config.connect_timeout) == (7, session.DEFAULT.connect_timeout)
    assert config.retries["total_max_attempts"] == 5


MISSING: list[tuple[str, Callable[[Any], Any]]] = [
    ("s3", lambda s3: s3.get_object(Bucket=NOWHERE, Key="x")),
    ("s3", lambda s3: s3.head_bucket(Bucket=NOWHERE)),
    ("sagemaker", lambda sagemaker: sagemaker.describe_endpoint(EndpointName=NOWHERE)),
    ("sagemaker", lambda sagemaker: sagemaker.describe_model(ModelName=NOWHERE)),
    ("sagemaker", lambda sagemaker: sagemaker.describe_training_job(TrainingJobName=NOWHERE)),
    ("sagemaker", lambda sagemaker: sagemaker.delete_endpoint_config(EndpointConfigName=NOWHERE)),
    ("cloudformation", lambda cloudformation: cloudformation.describe_stacks(StackName=NOWHERE)),
    ("logs", lambda logs: logs.describe_log_streams(logGroupName=NOWHERE)),
    ("lambda", lambda functions: functions.get_function(FunctionName=NOWHERE)),
]


@pytest.mark.parametrize(("service", "call"), MISSING)
def test_what_is_missing_is_told_by_any_service(cloud: Cloud, service: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(ClientError) as caught:
        call(boto3.client(service))
    assert is_missing(caught.value), caught.value


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDenied", "Access Denied"),
        ("ValidationException", "1 validation error detected"),
        ("ValidationError", "No updates are to be performed."),
        ("ThrottlingException", "the stack does not exist, perhaps: rate exceeded"),
    ],
)
def test_other_errors_are_others(code: str, message: str) -> None:
    assert not is_missing(ClientError({"Error": {"Code": code, "Message": message}}, "Describe"))
