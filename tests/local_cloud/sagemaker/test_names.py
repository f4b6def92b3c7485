"""The names of SageMaker's resources are as long and made of what AWS takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_cloud.conftest import refusal, training_request
from tests.roles import ROLE

pytestmark = pytest.mark.system

PATTERN = "Member must satisfy regular expression pattern"
LENGTH = "Member must have length less than or equal to 63"


def creations(name: str) -> dict[str, tuple[str, dict[str, Any]]]:
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    container = {"Image": "a/b:1"}
    config = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
    return {
        "trainingJobName": ("create_training_job", training_request(name, "data")),
        "modelName": (
            "create_model",
            {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container},
        ),
        "endpointConfigName": ("create_endpoint_config", config | {"EndpointConfigName": name}),
        "endpointName": ("create_endpoint", {"EndpointName": name, "EndpointConfigName": "c"}),
        "productionVariants.1.member.variantName": (
            "create_endpoint_config",
            config | {"ProductionVariants": [variant | {"VariantName": name}]},
        ),
        "productionVariants.1.member.modelName": (
            "create_endpoint_config",
            config | {"ProductionVariants": [variant | {"ModelName": name}]},
        ),
    }


@pytest.mark.parametrize("member", creations("x"))
@pytest.mark.parametrize(
    ("name", "words"),
    [("x" * 64, LENGTH), ("-x", PATTERN), ("x-", PATTERN), ("x_y", PATTERN), ("x.y", PATTERN), ("x\n", PATTERN)],
)
def test_names(sagemaker: Any, member: str, name: str, words: str) -> None:
    operation, request = creations(name)[member]
    code, message = refusal(getattr(sagemaker, operation), **request)
    assert (code, words in message, f"at '{member}'" in message) == ("ValidationException", True, True), message
