"""Errors are told apart: those that pass by themselves, and those that another try cannot change."""

from __future__ import annotations

import httpx
import pytest
from botocore import exceptions as aws
from botocore.exceptions import ClientError

from include.scones import stacks
from include.scones.aws import buckets
from include.scones.aws.failures import is_final
from include.scones.aws.small_objects import ObjectError
from include.scones.capture.errors import ScanError, WindowError
from include.scones.errors import AccuracyError, SconesError, SettingsError, StackError, UnfinishedError
from include.scones.teardown.errors import ConfirmationError, TeardownError
from tests.conftest import Cloud


def answer(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        answer("AccessDenied"),
        answer("AccessDeniedException", "User is not authorized to perform"),
        answer("ValidationException", "1 validation error detected"),
        answer("NoSuchBucket"),
        answer("UnrecognizedClientException"),
        aws.NoCredentialsError(),
        SettingsError("no AWS region is set"),
        WindowError("its end must come after its start"),
        AccuracyError("0.5 is below 0.8"),
        ConfirmationError("type the project's name"),
        caused(WindowError("a word is no date"), ValueError("Invalid isoformat string")),
        caused(StackError("it cannot be created"), answer("ValidationError", "Parameters: [Name] must have values")),
        RuntimeError(answer("AccessDeniedException")),  # as the provider wraps what a job's submission raised
        ObjectError("s3://b/k", "AccessDenied", ""),
    ],
)
def test_final(error: Exception) -> None:
    assert is_final(error)


@pytest.mark.parametrize(
    "error",
    [
        answer("ThrottlingException", "Rate exceeded"),
        answer("InternalFailure"),
        answer("503", "Slow Down"),
        answer("ExpiredToken"),
        answer("ValidationException", "Cannot update in-progress endpoint"),
        answer("ValidationError", "Stack:x is in UPDATE_IN_PROGRESS state and can not be updated."),
        answer("ValidationException", "Could not assume role r: ensure that the role exists"),
        aws.EndpointConnectionError(endpoint_url="https://sts"),
        aws.ReadTimeoutError(endpoint_url="https://sts"),
        httpx.ConnectError("no route"),
        ConnectionResetError(),
        ScanError("a reader was killed"),
        TeardownError("1 resource is left"),
        UnfinishedError("it goes on"),
        RuntimeError("nobody knows"),
        caused(StackError("it cannot be updated"), answer("Throttling", "Rate exceeded")),
        caused(SconesError("the download stopped"), httpx.ReadTimeout("60 s")),
        ObjectError("s3://b/k", "SlowDown", ""),
    ],
)
def test_another_try_is_of_use(error: Exception) -> None:
    assert not is_final(error)


def test_what_is_missing_names_the_dag_that_makes_it(cloud: Cloud) -> None:
    for ending, dag in (
        ("foundation", "cifar_etl"),
        ("inference", "inference_workflow"),
        ("batch", "batch_inference"),
    ):
        with pytest.raises(StackError, match=f"^there is no stack nowhere-{ending}: run {dag} first$") as raised:
            stacks.stack_outputs(f"nowhere-{ending}")
        assert is_final(raised.value)
    with pytest.raises(ClientError, match="there is no bucket no-such-bucket-anywhere: run cifar_etl first") as missing:
        buckets.client().get_object(Bucket="no-such-bucket-anywhere", Key="dataset.json")
    assert is_final(missing.value)
