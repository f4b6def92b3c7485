"""A real model through its life: accepted, written down, compared with, followed by another, rolled back to, pruned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from include.scones.cifar import catalogue, dataset, source
from include.scones.cifar.sample import write_sample
from include.scones.errors import AccuracyError, NoDatasetError, NotKeptError
from include.scones.models import accuracy, history, pruning, rollback
from include.scones.models.endpoint import endpoint_config_request
from include.scones.models.endpoint_check import accept
from include.scones.models.predictions import predict_test_images
from include.scones.models.requests import build_requests, build_tags
from include.scones.models.training_job import METRICS, SAVED_MODEL
from include.scones.settings import OWN, Settings
from tests.conftest import REGION, Cloud
from tests.datasets import put_dataset
from tests.roles import ROLE
from tests.waiting import eventually

HERE = Settings(project="life-tests", region=REGION, account="000000000000", bucket="life-tests")
FIRST, SECOND = "life-tests-first", "life-tests-second"
ROLES = dict.fromkeys(("TrainingRoleArn", "ServingRoleArn"), ROLE)
SMALL = {"epochs": 12, "mini_batch_size": 16}


@dataclass(frozen=True)
class Life:
    """The data set, and what the training job said of the first model."""

    data: dict[str, Any]
    accuracy: float
    accepted: dict[str, Any]


@pytest.fixture(scope="module")
def life(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The first model in service, as `train_and_deploy` puts it there."""
    boto3.client("s3").create_bucket(Bucket=HERE.bucket)
    archive = write_sample(tmp_path_factory.mktemp("archive") / "sample.tar.gz", train=60, test=10)
    data = dataset.publish(source.fetch(str(archive), None, HERE.bucket), HERE.bucket, [8, 48])
    catalogue.make_current(HERE.bucket, data, "etl")
    sagemaker, requests = boto3.client("sagemaker"), build_requests(HERE, FIRST, ROLES, data, SMALL)
    job = trained(requests["training"])
    sagemaker.create_model(**requests["model"])
    sagemaker.create_endpoint_config(**requests["endpoint_config"])
    sagemaker.create_endpoint(**requests["endpoint"])
    in_service()
    reached = accuracy.check_accuracy(job, 0)
    yield Life(data, reached, accept(HERE, data, reached, FIRST, "run 1", FIRST))
    sagemaker.delete_endpoint(EndpointName=HERE.endpoint)


def trained(request: dict[str, Any]) -> dict[str, Any]:
    """The training job of this request when it has ended well."""
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_training_job(**request)
    job: dict[str, Any] = eventually(
        lambda: sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"]),
        lambda found: found["TrainingJobStatus"] not in ("InProgress", "Stopping"),
        seconds=180,
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def in_service() -> None:
    describe = boto3.client("sagemaker").describe_endpoint
    eventually(lambda: describe(EndpointName=HERE.endpoint)["EndpointStatus"] == "InService", seconds=120)


def serve_second(data: dict[str, Any]) -> None:
    """The same model under another endpoint config."""
    sagemaker = boto3.client("sagemaker")
    request = endpoint_config_request(HERE, SECOND)
    request["ProductionVariants"][0]["ModelName"] = FIRST
    sagemaker.create_endpoint_config(**request, Tags=build_tags(HERE, data))
    sagemaker.update_endpoint(EndpointName=HERE.endpoint, EndpointConfigName=SECOND)
    in_service()


def test_what_was_accepted_says_what_serves_and_what_it_was_trained_on(life: Life) -> None:
    assert (life.accepted["endpoint_config"], life.accepted["training_job"]) == (FIRST, FIRST)
    assert (life.accepted["dataset"], life.accepted["provenance"]) == (life.data["digest"], "sample")
    known = history.in_service(HERE)
    assert known is not None and known["accuracy"] == life.accuracy
    assert (known["config"], known["run"], known["dataset"]) == (FIRST, "run 1", life.data)


def test_it_is_written_down_once_however_often_it_is_tested(life: Life) -> None:
    stored = boto3.client("s3").list_objects_v2(Bucket=HERE.bucket, Prefix="deployments/")["KeyCount"]
    history.record(HERE, life.data, life.accuracy, FIRST, "run 1")
    assert boto3.client("s3").list_objects_v2(Bucket=HERE.bucket, Prefix="deployments/")["KeyCount"] == stored == 1


def test_another_data_set_becoming_current_is_not_what_the_model_was_trained_on(life: Life) -> None:
    put_dataset(HERE.bucket, digest="a" * 16, classes=["a", "b", "c"])
    assert history.dataset_in_service(HERE) == life.data
    assert history.count_classes(HERE) == 2
    catalogue.make_current(HERE.bucket, life.data, "etl again")


def test_tags_name_the_data_set(life: Life) -> None:
    for member in ("Model", "EndpointConfig", "TrainingJob"):
        assert pruning.find_tagged(HERE, member)[FIRST]["Dataset"] == life.data["digest"], member


def test_on_the_same_images_not_one_may_be_lost(life: Life) -> None:
    assert accuracy.accuracy_in_service(HERE, life.data) == life.accuracy
    one = 1 / life.data["test"]
    accuracy.check_no_worse(HERE, life.accuracy, life.data, 0.0)
    accuracy.check_no_worse(HERE, life.accuracy - 0.4 * one, life.data, 0.0)
    with pytest.raises(AccuracyError, match=r"the one in service about .* max_accuracy_loss is 0\.0: "):
        accuracy.check_no_worse(HERE, life.accuracy - one, life.data, 0.0)
    accuracy.check_no_worse(HERE, life.accuracy - one, life.data, one)


def test_the_own_container_reports_the_model_that_it_saved_and_is_compared_with_answers(life: Life) -> None:
    own = replace(HERE, algorithm=OWN)
    image = f"000000000000.dkr.ecr.{REGION}.amazonaws.com/{HERE.project}/image-classification:1"
    request = build_requests(own, "life-tests-own", ROLES | {"ContainerImage": image}, life.data, SMALL)["training"]
    job = trained(request)
    reported = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert set(reported) == set(METRICS)
    reached = accuracy.check_accuracy(job, 0)
    assert reached == reported["model:accuracy"] >= reported["validation:accuracy"]
    answers = predict_test_images(HERE, FIRST, life.data).accuracy
    assert accuracy.figure(job) == SAVED_MODEL
    assert accuracy.accuracy_in_service(own, life.data, SAVED_MODEL) == answers
    accuracy.check_no_worse(own, answers, life.data, 0.0, SAVED_MODEL)
    with pytest.raises(AccuracyError, match=f"the one in service about {answers:.4f}"):
        accuracy.check_no_worse(own, answers - 1 / life.data["test"], life.data, 0.0, SAVED_MODEL)


def test_on_other_images_the_endpoint_is_asked(life: Life) -> None:
    """The same images under another digest, so that the answer is known."""
    known = predict_test_images(HERE, FIRST, life.data)
    other = life.data | {"digest": "b" * 16}
    assert accuracy.accuracy_in_service(HERE, other) == known.accuracy
    assert predict_test_images(HERE, FIRST, life.data).digest == life.data["digest"]


def test_there_is_nothing_to_compare_with_other_classes_or_without_a_model(life: Life) -> None:
    turned = life.data | {"digest": "b" * 16, "classes": life.data["classes"][::-1]}
    assert accuracy.accuracy_in_service(HERE, turned) is None
    assert accuracy.accuracy_in_service(replace(HERE, project="life-tests-nobody"), life.data) is None


def test_the_one_before_comes_back_and_then_the_one_after(life: Life) -> None:
    with pytest.raises(NotKeptError, match=f"no model that was in service before {FIRST} is kept"):
        rollback.choose(HERE, None)
    serve_second(life.data)
    accept(HERE, life.data, life.accuracy, FIRST, "run 2", SECOND)
    chosen = rollback.choose(HERE, None)
    assert chosen["endpoint"]["EndpointConfigName"] == FIRST
    assert (chosen["dataset"], chosen["accuracy"], chosen["training_job"]) == (life.data, life.accuracy, FIRST)
    served = boto3.client("sagemaker").describe_endpoint(EndpointName=HERE.endpoint)["LastModifiedTime"]
    eventually(
        lambda: datetime.now(UTC) >= served.replace(microsecond=0) + timedelta(seconds=1)
    )  # records know seconds
    boto3.client("sagemaker").update_endpoint(EndpointName=HERE.endpoint, EndpointConfigName=FIRST)
    in_service()
    accept(HERE, life.data, life.accuracy, FIRST, "run 3", FIRST)
    assert history.newest_configs(HERE) == [FIRST, SECOND]
    assert rollback.choose(HERE, None)["endpoint"]["EndpointConfigName"] == SECOND


def test_only_what_is_kept_and_can_be_tested_comes_back(life: Life) -> None:
    with pytest.raises(NotKeptError, match=rf"life-tests-gone is not kept: choose one of .*{FIRST}"):
        rollback.choose(HERE, "life-tests-gone")
    request = endpoint_config_request(HERE, "life-tests-untagged")
    request["ProductionVariants"][0]["ModelName"] = FIRST
    boto3.client("sagemaker").create_endpoint_config(**request, Tags=build_tags(HERE, life.data)[:1])
    with pytest.raises(NotKeptError, match="life-tests-untagged has no tag Dataset"):
        rollback.choose(HERE, "life-tests-untagged")


def test_data_sets_go_by_age_and_use(life: Life) -> None:
    """The model's and the current one stay, and so does whatever is young."""
    put_dataset(HERE.bucket, [(0, 0, "x.png")], {"x.png": b"x"}, digest="c" * 16)
    put_dataset(HERE.bucket, digest="d" * 16)
    now = datetime.now(UTC)
    assert pruning.prune_datasets(HERE, now) == []
    assert {"c" * 16} <= set(pruning.prune_datasets(HERE, now + timedelta(days=31))) <= {"a" * 16, "c" * 16}
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket=HERE.bucket, Prefix=f"datasets/{'c' * 16}/")
    with pytest.raises(NoDatasetError):
        catalogue.describe(HERE.bucket, "c" * 16)
    assert catalogue.describe(HERE.bucket)["digest"] == "d" * 16
    assert catalogue.describe(HERE.bucket, life.data["digest"]) == life.data
    assert predict_test_images(HERE, FIRST, life.data).names


def test_the_last_made_and_the_last_served_are_kept(life: Life) -> None:
    for number in range(3):
        request = endpoint_config_request(HERE, f"life-tests-more-{number}")
        request["ProductionVariants"][0]["ModelName"] = FIRST
        boto3.client("sagemaker").create_endpoint_config(**request, Tags=build_tags(HERE, life.data))
    before = set(pruning.find_tagged(HERE, "EndpointConfig"))
    serving = boto3.client("sagemaker").describe_endpoint(EndpointName=HERE.endpoint)["EndpointConfigName"]
    removed = pruning.prune(HERE, keep=2)
    kept = set(pruning.find_tagged(HERE, "EndpointConfig"))
    assert kept == before - set(removed)
    assert {serving, "life-tests-more-1", "life-tests-more-2", *history.newest_configs(HERE)[:2]} == kept
