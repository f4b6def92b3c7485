"""Every answer has one `Date`, whichever service gives it."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from tests.conftest import Cloud

CALLS = {
    "s3": "list_buckets",
    "sns": "list_topics",
    "logs": "describe_log_groups",
    "events": "list_rules",
    "lambda": "list_functions",
    "sts": "get_caller_identity",
    "sagemaker": "list_models",
    "batch": "describe_job_queues",
}


@pytest.mark.parametrize("service", CALLS)
def test_an_answer_has_one_date(cloud: Cloud, service: str) -> None:
    answer = getattr(cloud.client(service), CALLS[service])()
    assert parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert answer["ResponseMetadata"]["HTTPHeaders"]["date"].count("GMT") == 1
