"""The endpoint: the requests that put a model into service with data capture, and the one way to ask it."""

from __future__ import annotations

from typing import Any

from botocore.client import BaseClient

from include.scones.settings import VARIANT, Settings

IMAGE_TYPE = "application/x-image"


def endpoint_config_request(settings: Settings, name: str) -> dict[str, Any]:
    return {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": name,
                "InstanceType": settings.endpoint_instance,
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": settings.capture_uri,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        },
    }


def invoke_endpoint(runtime: BaseClient, endpoint: str, image: bytes, **members: str) -> bytes:
    """What the endpoint answers to an image, as it came; `members` go into the request."""
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType=IMAGE_TYPE, Accept="application/json", Body=image, **members
    )
    return bytes(answer["Body"].read())
