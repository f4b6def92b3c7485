"""Teardown: what it finds, what it leaves alone, and that it can be stopped and run again at any point."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from include.scones import stacks
from include.scones.batch.stack import deploy_batch
from include.scones.errors import UnfinishedError
from include.scones.handlers import HANDLERS
from include.scones.models.endpoint import endpoint_config_request
from include.scones.models.pruning import prune
from include.scones.models.requests import build_tags
from include.scones.models.training_job import artifact_uri, training_job_request
from include.scones.settings import Settings
from include.scones.steps import Step, to_the_end
from include.scones.teardown import bucket as bucket_of
from include.scones.teardown.errors import ConfirmationError, ScopeError, TeardownError
from include.scones.teardown.plan import check_confirmation, execute, plan, verify
from include.scones.teardown.resources import Resource
from tests.conftest import REGION, ROOT, Cloud, own_cloud
from tests.datasets import describe
from tests.inventory import Inventory, inventory
from tests.roles import ROLE
from tests.strangers import open_bucket
from tests.waiting import eventually

PROJECT = "teardown-tests"
ACCOUNT = "000000000000"
HERE = Settings(project=PROJECT, region=REGION, account=ACCOUNT, bucket=f"{PROJECT}-bucket")
IMAGE = f"811284229777.dkr.ecr.{REGION}.amazonaws.com/image-classification:1"
DATASET = describe()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One of these tests' own: on the session's, what other tests left may still change."""
    with own_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


def sagemaker() -> Any:
    return boto3.client("sagemaker")


def serve(settings: Settings, name: str, endpoint: str) -> None:
    """A model, a config and an endpoint as the project makes them; the endpoint fails, for there is no artifact."""
    tags = build_tags(settings, DATASET)
    artifact = artifact_uri(settings, name)
    boto3.client("s3").put_object(Bucket=settings.bucket, Key=artifact.partition(f"{settings.bucket}/")[2], Body=b"x")
    sagemaker().create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifact},
        ExecutionRoleArn=ROLE,
        Tags=tags,
    )
    sagemaker().create_endpoint_config(**endpoint_config_request(settings, name), Tags=tags)
    sagemaker().create_endpoint(EndpointName=endpoint, EndpointConfigName=name, Tags=tags[:1])


def train(settings: Settings, name: str) -> None:
    """A job that ends at once, since its data are missing, and a line of its log."""
    request = training_job_request(settings, name, ROLE, IMAGE, DATASET, {})
    sagemaker().create_training_job(**request, Tags=build_tags(settings, DATASET))
    while sagemaker().describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
        time.sleep(0.1)


def fill(name: str, count: int) -> None:
    s3 = boto3.client("s3")
    with ThreadPoolExecutor(4) as pool:
        keys = [f"test/{index:05}.png" for index in range(count)]
        list(pool.map(lambda key: s3.put_object(Bucket=name, Key=key, Body=b"x"), keys))


def make_project(settings: Settings, objects: int = 3) -> None:
    stacks.deploy_foundation(settings)
    stacks.deploy_inference(settings, 0.93)
    deploy_batch(settings)
    serve(settings, f"{settings.project}-20240101-000000-abcdef", settings.endpoint)
    train(settings, f"{settings.project}-{uuid.uuid4().hex[:8]}")
    fill(settings.bucket, objects)
    s3 = boto3.client("s3")
    s3.create_multipart_upload(Bucket=settings.bucket, Key="raw/unfinished")
    s3.put_bucket_versioning(Bucket=settings.bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket=settings.bucket, Key="raw/versions", Body=b"v")
    s3.delete_object(Bucket=settings.bucket, Key="raw/versions")


@pytest.fixture(scope="module")
def foreign(cloud: Cloud) -> Iterator[Inventory]:
    """A project whose names begin with this one's, and things that bear the project's name or its tag alone."""
    other = replace(HERE, project=f"{PROJECT}-two", bucket=f"{PROJECT}-two-bucket")
    make_project(other)
    s3, logs = boto3.client("s3"), boto3.client("logs")
    s3.create_bucket(Bucket="somebody-elses")
    s3.put_bucket_tagging(Bucket="somebody-elses", Tagging={"TagSet": [{"Key": "Project", "Value": PROJECT}]})
    s3.put_object(Bucket="somebody-elses", Key="kept", Body=b"x")
    sagemaker().create_model(ModelName=f"{PROJECT}-untagged", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    logs.create_log_group(logGroupName=f"/aws/lambda/{PROJECT}-somethingElse")
    yield inventory()
    for bucket in (other.bucket, "somebody-elses"):
        bucket_of.empty(s3, bucket, to_the_end())
    execute(other, plan(other, "everything"))


@pytest.fixture
def project(foreign: Inventory) -> Iterator[Settings]:
    make_project(HERE)
    yield HERE
    execute(HERE, plan(HERE, "everything"))


def test_everything_goes_and_what_was_there_before_stays(project: Settings, foreign: Inventory) -> None:
    resources = plan(project, "everything")
    assert [resource.kind for resource in resources] == [
        "endpoint",
        "endpoint config",
        "model",
        *["stack"] * 3,
        "log stream",
        *["log group"] * (len(HANDLERS) + 3),  # and the state machine's, the endpoint's and the batch job's
        "bucket",
    ]
    assert all(resource.why for resource in resources)
    with pytest.raises(TeardownError, match=rf"^{len(resources)} resources of {PROJECT} are left"):
        verify(project, "everything")

    execute(project, resources)

    verify(project, "everything")
    assert inventory() == foreign


def test_a_deletion_in_steps_goes_on_where_it_stands(project: Settings, foreign: Inventory) -> None:
    resources = plan(project, "everything")
    with pytest.raises(UnfinishedError, match=f"endpoint {project.endpoint} is still"):
        execute(project, resources, Step("the-same", seconds=0))

    def ended() -> bool:
        with contextlib.suppress(UnfinishedError):
            execute(project, resources, Step("the-same", seconds=0))
            return True
        return False

    eventually(ended)
    verify(project, "everything")
    assert inventory() == foreign


def tells_of_an_idle_endpoint(settings: Settings) -> bool:
    names = [f"{settings.project}-idle-endpoint"]
    (alarm,) = boto3.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    return bool(alarm["ActionsEnabled"])


def test_narrower_scopes_leave_the_rest(project: Settings, foreign: Inventory) -> None:
    stacks.deploy_inference(project, 0.93)
    assert tells_of_an_idle_endpoint(project)
    before = inventory()
    execute(project, plan(project, "endpoint"))
    assert not tells_of_an_idle_endpoint(project)
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{project.endpoint}"
    assert before - inventory() == {("list_endpoints", arn), ("get_resources", arn)}
    verify(project, "endpoint")

    execute(project, plan(project, "all_but_data"))
    left = {item for item in inventory() - foreign if item[0] not in ("object", "upload")}
    assert left == {("list_buckets", project.bucket), ("get_resources", f"arn:aws:s3:::{project.bucket}")}
    assert boto3.client("s3").get_object(Bucket=project.bucket, Key="test/00000.png")["Body"].read() == b"x"


def test_an_absent_project_has_nothing_to_delete(cloud: Cloud) -> None:
    absent = replace(HERE, project="no-such-project", bucket="no-such-project-bucket")
    assert plan(absent, "everything") == []
    verify(absent, "everything")


def test_a_half_made_project_and_a_stale_plan(project: Settings, foreign: Inventory) -> None:
    """Every deletion meets something that is gone already."""
    stale = plan(project, "everything")
    execute(project, stale)
    assert execute(project, stale) == []
    assert inventory() == foreign


def test_a_bucket_of_the_users_own_is_left_alone(foreign: Inventory) -> None:
    mine = replace(HERE, project="borrower", bucket="somebody-elses")
    stacks.deploy_foundation(mine)
    execute(mine, plan(mine, "everything"))
    verify(mine, "everything")
    assert boto3.client("s3").get_object(Bucket=mine.bucket, Key="kept")["Body"].read() == b"x"


def test_a_plan_that_names_a_neighbours_resources_deletes_none_of_them(project: Settings, foreign: Inventory) -> None:
    neighbour = replace(HERE, project=f"{PROJECT}-two", bucket=f"{PROJECT}-two-bucket")
    theirs = plan(neighbour, "everything")
    theirs += [Resource("model", f"{PROJECT}-untagged", ""), Resource("bucket", "somebody-elses", "")]
    before = inventory()
    assert {resource.kind for resource in theirs} >= {"endpoint", "model", "stack", "log stream", "log group", "bucket"}
    assert execute(project, theirs) == []
    assert inventory() == before


def test_what_became_anothers_after_the_plan_was_made_stays(
    project: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    resources = plan(project, "everything")
    theirs = {"Key": "Project", "Value": "another"}
    (model,) = [resource.name for resource in resources if resource.kind == "model"]
    arn = sagemaker().describe_model(ModelName=model)["ModelArn"]
    sagemaker().add_tags(ResourceArn=arn, Tags=[theirs])
    s3 = boto3.client("s3")
    s3.put_bucket_tagging(Bucket=project.bucket, Tagging={"TagSet": [theirs]})

    deleted = execute(project, resources)

    assert {(r.kind, r.name) for r in resources} - {(r.kind, r.name) for r in deleted} >= {
        ("model", model),
        ("bucket", project.bucket),
    }
    assert f"not deleted: bucket {project.bucket} is gone, or is not {PROJECT}'s" in caplog.messages
    assert s3.get_object(Bucket=project.bucket, Key="test/00000.png")["Body"].read() == b"x"
    ours = {"Key": "Project", "Value": PROJECT}
    sagemaker().add_tags(ResourceArn=arn, Tags=[ours])
    s3.put_bucket_tagging(Bucket=project.bucket, Tagging={"TagSet": [ours]})


def test_a_strangers_bucket_is_never_touched(cloud: Cloud) -> None:
    here = replace(HERE, project="squatted", bucket="squatted-bucket")
    owner = open_bucket(here.bucket)
    owner.put_object(Bucket=here.bucket, Key="key", Body=b"theirs")
    owner.put_bucket_tagging(Bucket=here.bucket, Tagging={"TagSet": [{"Key": "Project", "Value": here.project}]})
    assert plan(here, "everything") == []
    assert execute(here, [Resource("bucket", here.bucket, "")]) == []
    with pytest.raises(ClientError, match="must belong to account"):
        bucket_of.delete_bucket(here, here.bucket, to_the_end())
    assert owner.get_object(Bucket=here.bucket, Key="key")["Body"].read() == b"theirs"


def test_pruning_leaves_a_neighbours_models(foreign: Inventory) -> None:
    here = replace(HERE, project="pruned")
    neighbour = replace(HERE, project="pruned-two")
    boto3.client("s3").create_bucket(Bucket=HERE.bucket)
    for settings in (here, neighbour):
        for number in range(3):
            serve(settings, f"{settings.project}-{number}", f"{settings.endpoint}-{number}")
        serve(settings, f"{settings.project}-serving", settings.endpoint)
    assert sorted(prune(here, keep=1)) == [f"pruned-{number}" for number in (0, 0, 1, 1, 2, 2)]
    kept = [item["ModelName"] for item in sagemaker().list_models(NameContains="pruned-")["Models"]]
    assert sorted(kept) == ["pruned-serving", *(f"pruned-two-{last}" for last in (0, 1, 2, "serving"))]
    for settings in (here, neighbour):
        for number in range(3):
            sagemaker().delete_endpoint(EndpointName=f"{settings.endpoint}-{number}")
        execute(settings, plan(settings, "all_but_data"))
    bucket_of.empty(boto3.client("s3"), HERE.bucket, to_the_end())
    boto3.client("s3").delete_bucket(Bucket=HERE.bucket)


KILLED_AFTER_A_DELETION = f"""
import os, signal
import boto3
from include.scones.models.pruning import prune
from include.scones.settings import Settings
from include.scones.teardown import plan
def die(model, **_):
    if model.name.startswith(("Delete", "Stop", "Abort")):
        os.kill(os.getpid(), signal.SIGKILL)
boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register("after-call", die)
here = {HERE!r}
plan.execute(here, plan.plan(here, "everything"))
"""


def killed() -> bool:
    """Run a teardown that dies as soon as AWS has answered its first deletion; False when there is none to make."""
    code = subprocess.run([sys.executable, "-c", KILLED_AFTER_A_DELETION], cwd=ROOT, timeout=60, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_killed_after_each_of_its_deletions_it_goes_on(project: Settings, foreign: Inventory) -> None:
    kinds = [resource.kind for resource in plan(project, "everything")]
    deaths = 0
    while killed():
        deaths += 1
    # The stacks take log groups with them; the bucket's objects and its unfinished upload die before it.
    assert deaths >= len(set(kinds)) + 2
    verify(project, "everything")
    assert inventory() == foreign


@pytest.mark.slow
def test_killed_half_way_through_a_bucket_of_many_pages_it_goes_on(project: Settings, foreign: Inventory) -> None:
    execute(project, plan(project, "all_but_data"))
    fill(project.bucket, 10_000)
    assert killed()
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=project.bucket)
    assert 8_000 < sum(page["KeyCount"] for page in pages) < 10_000

    execute(project, plan(project, "everything"))

    verify(project, "everything")
    assert inventory() == foreign


def test_scope_and_confirmation_are_checked() -> None:
    with pytest.raises(ScopeError, match="choose one of endpoint, all_but_data, everything"):
        plan(HERE, "all")
    for typed in ("", "yes", PROJECT.upper(), f"{PROJECT}-two"):
        with pytest.raises(ConfirmationError, match=PROJECT):
            check_confirmation(HERE, typed)
    check_confirmation(HERE, PROJECT)
