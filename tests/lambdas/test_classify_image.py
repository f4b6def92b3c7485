"""classifyImage against an endpoint that really serves a model, and on answers that no model should give."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from lambdas.classify_image import (
    EndpointNotAvailable,
    InvalidImage,
    InvalidInference,
    ModelFailed,
    lambda_handler,
    probabilities,
)
from tests.lambdas.conftest import picture

Event = Callable[[str], dict[str, Any]]


def encoded(image: bytes) -> dict[str, str]:
    return {"image_data": base64.b64encode(image).decode()}


@pytest.fixture
def named(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ENDPOINT_NAME", endpoint)
    return endpoint


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_probabilities_join_the_workflow_data_unchanged_otherwise(named: str, event: Event, kind: str) -> None:
    given = event("classify") | encoded(picture(0, seed=7, kind=kind))

    result = lambda_handler(given, None)

    inferences = result["inferences"]
    assert result == given | {"inferences": inferences}
    assert [type(value) for value in inferences] == [float, float]
    assert sum(inferences) == pytest.approx(1, abs=1e-3)


def test_inferences_are_the_endpoints_own(named: str, event: Event) -> None:
    image = picture(1, seed=8)
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=named, ContentType="image/png", Accept="application/json", Body=image
    )
    expected = probabilities(answer["Body"].read(), "test")
    assert lambda_handler(event("classify") | encoded(image), None)["inferences"] == expected


def test_endpoint_that_does_not_exist_is_named(images: Any, event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDPOINT_NAME", "no-such-endpoint")
    with pytest.raises(EndpointNotAvailable) as caught:
        lambda_handler(event("classify") | encoded(picture(0, seed=7)), None)
    assert str(caught.value).startswith("ENDPOINT_NOT_AVAILABLE: no-such-endpoint does not answer (ValidationError): ")


def test_broken_image_is_refused_in_the_containers_words(named: str, event: Event) -> None:
    with pytest.raises(ModelFailed) as caught:
        lambda_handler(event("classify") | encoded(picture(0, seed=7)[:100]), None)
    message = str(caught.value)
    assert message.startswith(f"MODEL_FAILED: {named} refused s3://lambda-tests/datasets/test/a.png with status 4")
    assert not message.endswith(": None")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "is neither a PNG nor a JPEG; it starts with b''"),
        (None, "is neither a PNG nor a JPEG; it starts with b''"),
        ("R0lGODlh", "is neither a PNG nor a JPEG; it starts with b'GIF89a'"),
        ("!not base64!", "is not base64: "),
    ],
)
def test_what_is_no_image_never_reaches_the_endpoint(
    event: Event, monkeypatch: pytest.MonkeyPatch, data: object, problem: str
) -> None:
    monkeypatch.setenv("ENDPOINT_NAME", "no-such-endpoint")
    with pytest.raises(InvalidImage) as caught:
        lambda_handler(event("classify") | {"image_data": data}, None)
    assert str(caught.value).startswith("INVALID_IMAGE: ")
    assert "s3://lambda-tests/datasets/test/a.png" in str(caught.value)
    assert problem in str(caught.value)


def test_probabilities_of_any_number_of_classes_are_floats() -> None:
    assert probabilities(b"[0.25, 0.25, 0.5]", "x") == [0.25, 0.25, 0.5]
    assert probabilities(b"[0, 1]", "x") == [0.0, 1.0]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"0.9",
        b"[NaN, 0.5]",
        b"[Infinity, 0]",
        b"[1.5, -0.5]",
        b"[0.9, 0.9]",
        b'["0.9", "0.1"]',
        b"[true, false]",
        b"[[0.9, 0.1]]",
        b'{"prediction": [0.9, 0.1]}',
    ],
)
def test_answers_that_are_no_probabilities_are_shown(answer: bytes) -> None:
    with pytest.raises(InvalidInference) as caught:
        probabilities(answer, "s3://b/k")
    problem = f"INVALID_INFERENCE: the answer to s3://b/k is not a list of class probabilities: {answer!r}"
    assert str(caught.value) == problem
