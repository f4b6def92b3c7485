"""What the endpoint in service answered to the test images when it was deployed, as the DAG kept it on S3."""

from __future__ import annotations

from include.scones.models.predictions import Predictions, read_predictions
from include.scones.s3_layout import predictions_key, s3_uri
from include.scones.settings import Settings
from include.scones.thresholds.deployed import describe_deployment
from include.scones.thresholds.errors import NotInServiceError


def read_answers_in_service(settings: Settings) -> Predictions:
    """The answers of the endpoint's present configuration.

    Raises:
        NotInServiceError: no endpoint is in service, or its answers are not kept; says what brings them.
    """
    now = describe_deployment(settings)
    if now.endpoint_config is None:
        raise NotInServiceError(f"there is no endpoint {now.endpoint}: trigger {now.next_dag} first")
    if now.endpoint_status != "InService":
        raise NotInServiceError(
            f"the endpoint {now.endpoint} is {now.endpoint_status}, not InService: wait, or trigger train_and_deploy"
        )
    found = read_predictions(settings, now.endpoint_config)
    if found is None:
        key = predictions_key(now.endpoint_config)
        raise NotInServiceError(
            f"{s3_uri(settings.bucket, key)} with the endpoint's answers to the test images is not there: trigger"
            " train_and_deploy"
        )
    return found
