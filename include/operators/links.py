"""Links of tasks to the AWS console of their partition: the training job and its log, the endpoint."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink

from include.scones.log_groups import TRAINING_JOBS


class TrainingJobLink(BaseAwsLink):
    """The training job's page."""

    name: ClassVar[str] = "Training job"
    key: ClassVar[str] = "training_job"
    format_str: ClassVar[str] = BASE_AWS_CONSOLE_LINK + "/sagemaker/home?region={region_name}#/jobs/{job_name}"


class TrainingLogLink(BaseAwsLink):
    """The log streams of the training job's instances."""

    name: ClassVar[str] = "Training log"
    key: ClassVar[str] = "training_log"
    # The console escapes what stands in its fragment twice, and writes $ for %.
    format_str: ClassVar[str] = (
        BASE_AWS_CONSOLE_LINK
        + "/cloudwatch/home?region={region_name}#logsV2:log-groups/log-group/"
        + quote(quote(TRAINING_JOBS, safe=""), safe="").replace("%", "$")
        + "$3FlogStreamNameFilter$3D{job_name}$252F"
    )


class EndpointLink(BaseAwsLink):
    """The endpoint's page."""

    name: ClassVar[str] = "Endpoint"
    key: ClassVar[str] = "endpoint"
    format_str: ClassVar[str] = BASE_AWS_CONSOLE_LINK + "/sagemaker/home?region={region_name}#/endpoints/{name}"


def persist(link: type[BaseAwsLink], context: Any, operator: Any, **names: str) -> None:
    """Keep the names from which the link is made when the task has ended or is deferred."""
    hook = operator.hook
    link.persist(
        context=context,
        operator=operator,
        region_name=hook.conn_region_name,
        aws_partition=hook.conn_partition,
        **names,
    )
