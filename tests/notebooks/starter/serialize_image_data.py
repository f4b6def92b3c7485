"""The course's first function: reads an image from S3 and hands it on as base64, in `bytes` as b64encode gives them."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import Any

import boto3


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.png"
        boto3.client("s3").download_file(event["s3_bucket"], event["s3_key"], str(image))
        image_data = base64.b64encode(image.read_bytes())
    body = {"image_data": image_data, "s3_bucket": event["s3_bucket"], "s3_key": event["s3_key"], "inferences": []}
    return {"statusCode": 200, "body": body}
