"""The course's second function without the SDK: boto3, which is part of AWS's runtime, asks the endpoint."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import boto3


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=os.environ["ENDPOINT"],
        ContentType="image/png",
        Body=base64.b64decode(event["image_data"]),
    )
    event["inferences"] = answer["Body"].read().decode()
    return {"statusCode": 200, "body": json.dumps(event)}
