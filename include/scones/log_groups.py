"""The CloudWatch log groups that the project's parts write to, whoever makes them."""

from __future__ import annotations

from include.scones.handlers import HANDLERS
from include.scones.settings import Settings

# Shared by all training jobs of an account; each has streams of its own in it.
TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"


def own_groups(settings: Settings) -> list[str]:
    return [
        *(f"/aws/lambda/{settings.project}-{handler.function}" for handler in HANDLERS),
        f"/aws/vendedlogs/states/{settings.project}-inference",
        f"/aws/batch/{settings.project}-classify",
        endpoint_group(settings),
    ]


def endpoint_group(settings: Settings) -> str:
    return f"/aws/sagemaker/Endpoints/{settings.endpoint}"
