"""The course's second function: asks the endpoint by the `sagemaker` 2 SDK, which its package has to bring along."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from sagemaker.predictor import Predictor
from sagemaker.serializers import IdentitySerializer


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    predictor = Predictor(os.environ["ENDPOINT"], serializer=IdentitySerializer("image/png"))
    event["inferences"] = predictor.predict(base64.b64decode(event["image_data"])).decode()
    return {"statusCode": 200, "body": json.dumps(event)}
