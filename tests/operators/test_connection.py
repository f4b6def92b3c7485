"""One AWS session for all that Airflow runs: with everything in the connection, a role to assume, or none at all."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import TaskDeferred
from botocore.config import Config
from botocore.exceptions import ClientError

from include.operators.alerts import AlertNotifier
from include.operators.connection import ConnectionSession, connection_id, use_connection
from include.operators.step_functions import ExecutionOperator
from include.scones import session, settings, stacks
from include.scones.aws import buckets, clients
from include.scones.capture.reading import processes
from include.scones.capture.reading.listing import CaptureFile
from include.scones.capture.stores.opening import open_bucket
from include.scones.errors import SettingsError
from include.scones.inference.inputs import workflow_event
from tests.conftest import REGION, ROOT, Cloud
from tests.operators.running import TaskInstance, execute
from tests.scones.capture.conftest import record
from tests.strangers import account
from tests.waiting import awaited, eventually

Connect = Callable[..., str]


@pytest.fixture(scope="module")
def other(cloud: Cloud) -> str:
    """Another account than that of the connections' keys."""
    return account()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a connection of this process's environment, in which no AWS variable is left; gives its id."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the key that it found first
    monkeypatch.setenv("SCONES_PROJECT", f"connected-{uuid.uuid4().hex[:6]}")

    def make(name: str = "aws_default", **members: Any) -> str:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "aws", **members}))
        use_connection()
        return name

    yield make
    use_connection()


def key(cloud: Cloud) -> dict[str, str]:
    return {"login": cloud.key["AWS_ACCESS_KEY_ID"], "password": cloud.key["AWS_SECRET_ACCESS_KEY"]}


def place(cloud: Cloud, **further: Any) -> dict[str, Any]:
    return {"endpoint_url": cloud.url, "region_name": REGION, **further}


def role(cloud: Cloud, other: str) -> dict[str, Any]:
    """Airflow asks STS for a role at the address of `service_config` alone."""
    return place(
        cloud,
        role_arn=f"arn:aws:iam::{other}:role/OrganizationAccountAccessRole",
        service_config={"sts": {"endpoint_url": cloud.url}},
    )


def identity() -> str:
    return str(clients.connect("sts").get_caller_identity()["Arn"])


def test_everything_is_in_the_connection(cloud: Cloud, connect: Connect) -> None:
    connect(**key(cloud), extra=place(cloud))
    here = settings.load()
    assert (here.account, here.region) == ("000000000000", REGION)
    assert stacks.deploy_foundation(here).action == "created"
    assert buckets.exists(here)
    assert S3Hook().check_for_bucket(here.bucket)


def test_another_connection_is_named_by_setting_or_variable(
    cloud: Cloud, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(extra={"region_name": "eu-west-1"})
    connect("elsewhere", extra={"region_name": "eu-central-1"})
    connect("by_variable", extra={"region_name": "ap-south-1"})

    def region() -> str | None:
        use_connection()
        return session.current().region()

    assert (connection_id(), region()) == ("aws_default", "eu-west-1")
    monkeypatch.setenv("AIRFLOW_VAR_SCONES_AWS_CONN_ID", "by_variable")
    assert (connection_id(), region()) == ("by_variable", "ap-south-1")
    monkeypatch.setenv("SCONES_AWS_CONN_ID", "elsewhere")
    assert (connection_id(), region()) == ("elsewhere", "eu-central-1")


def test_where_no_connection_is_the_environment_counts(
    cloud: Cloud, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(extra={"region_name": "eu-west-1"})
    monkeypatch.setenv("SCONES_AWS_CONN_ID", "no_such_connection")
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    use_connection()
    assert settings.load().region == REGION
    assert session.current().environment("s3") == {k: v for k, v in os.environ.items() if k.startswith("AWS_")}


def test_what_the_connection_leaves_out_the_environment_says(
    cloud: Cloud, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(extra={"region_name": "eu-west-1"})
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    assert settings.load().region == "eu-west-1"


def test_without_a_region_the_error_says_where_to_set_one(connect: Connect) -> None:
    connect(login="x", password="y")
    with pytest.raises(SettingsError, match="set AWS_DEFAULT_REGION, or region_name in Airflow's connection"):
        settings.load()


def test_the_callers_config_goes_before_the_connections(connect: Connect) -> None:
    given = {"read_timeout": 11, "connect_timeout": 3, "user_agent_extra": "ours"}
    connect(login="x", password="y", extra={"region_name": REGION, "config_kwargs": given, "verify": "/ca.pem"})
    config = clients.connect("sqs", config=Config(read_timeout=7)).meta.config
    assert (config.read_timeout, config.connect_timeout) == (7, 3)
    assert config.retries["total_max_attempts"] == 5
    assert "ours" in config.user_agent_extra
    assert session.current().environment()["AWS_CA_BUNDLE"] == "/ca.pem"


def test_a_key_that_is_changed_is_taken_up(cloud: Cloud, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(login="wrong", password="y", extra=place(cloud))
    with pytest.raises(ClientError):
        settings.load()
    made = dict(key(cloud), conn_type="aws", extra=place(cloud))
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(made))
    monkeypatch.setattr("include.operators.connection.KEPT", 1e-9)
    assert settings.load().account == "000000000000"


def test_the_role_signs_all_that_arrives(cloud: Cloud, other: str, connect: Connect) -> None:
    """The role is another account's: what was made by the connection's own key would lie elsewhere."""
    connect(**key(cloud), extra=role(cloud, other))
    assert identity().startswith(f"arn:aws:sts::{other}:assumed-role/OrganizationAccountAccessRole/airflow_aws_default")
    here = settings.load()
    assert here.account == other
    stacks.deploy_foundation(here)
    outputs = stacks.deploy_inference(here, 0.93).outputs
    assert f":{other}:" in outputs["StateMachineArn"] and f":{other}:" in outputs["AlertTopicArn"]
    with pytest.raises(ClientError, match=r"403|Forbidden"):
        cloud.client("s3").head_bucket(Bucket=here.bucket, ExpectedBucketOwner="000000000000")
    heard = subscribed(outputs["AlertTopicArn"])
    awaited(AlertNotifier(subject="late", message="why").async_notify({}))
    eventually(heard, lambda message: message["Subject"] == "late")  # the stack's alarms speak there too
    assert f":{other}:" in run_an_execution(outputs["StateMachineArn"], here.bucket)


def run_an_execution(machine: str, bucket: str) -> str:
    """By the operator and its trigger, as the DAG does."""

    instance = TaskInstance()
    operator = ExecutionOperator(
        task_id="execute",
        name=uuid.uuid4().hex,
        state_machine_arn=machine,
        state_machine_input=workflow_event(bucket, "test/none.png"),
    )
    with pytest.raises(TaskDeferred) as deferred:
        execute(operator, instance)
    awaited(first(deferred.value.trigger))
    (arn,) = [value for value in instance.pushed.values() if str(value).startswith("arn:")]
    execution = clients.connect("stepfunctions").describe_execution(executionArn=arn)
    assert execution["status"] == "FAILED"
    return str(execution["executionArn"])


async def first(trigger: Any) -> Any:
    return await anext(trigger.run())


def subscribed(topic: str) -> Callable[[], dict[str, Any]]:
    """Has a queue hear what the topic is told; gives what reads its next message."""
    sqs = clients.connect("sqs")
    url = sqs.create_queue(QueueName=f"heard-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sender = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**sender, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    clients.connect("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return lambda: dict(json.loads(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"]))


@pytest.mark.parametrize("assumed", [False, True])
def test_reader_processes_read_by_the_same_session(
    cloud: Cloud, other: str, connect: Connect, monkeypatch: pytest.MonkeyPatch, assumed: bool
) -> None:
    connect(**key(cloud), extra=role(cloud, other) if assumed else place(cloud))
    bucket = f"readers-{uuid.uuid4().hex[:12]}"
    s3 = clients.connect("s3")
    s3.create_bucket(Bucket=bucket)
    for index in range(4):
        body = json.dumps(record(f"2026-01-31T05:00:0{index}Z")).encode()
        s3.put_object(Bucket=bucket, Key=f"{index}.jsonl", Body=body)
    monkeypatch.setattr(processes, "WORTH_A_PROCESS", 1)
    store = open_bucket(bucket)
    files = [CaptureFile(item.key, item.size, "AllTraffic", 0, True) for item in store.objects("")]
    scan = processes.scan_files(store, files, (0, 2**62))
    assert len(scan.table) == 4


def test_operators_take_the_connection_when_they_run_and_not_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def looked_up(*_: object, **__: object) -> str:
        raise AssertionError("a connection or variable was looked up while a DAG was parsed")

    with monkeypatch.context() as parsing:
        parsing.setattr("airflow.sdk.execution_time.context._get_variable", looked_up)
        parsing.setattr("airflow.sdk.execution_time.context._get_connection", looked_up)
        parsing.setenv("AIRFLOW_HOME", str(tmp_path))
        bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    monkeypatch.setenv("SCONES_AWS_CONN_ID", "elsewhere")
    found = set()
    for dag in bag.dags.values():
        for task in (task for task in dag.tasks if "aws_conn_id" in task.template_fields):
            operator: Any = task.unmap({}) if isinstance(task, MappedOperator) else task
            assert dag.get_template_env().from_string(operator.aws_conn_id).render() == "elsewhere", task.task_id
            found.add(dag.dag_id)
    assert found >= {"train_and_deploy", "inference_workflow", "batch_inference"}


def test_a_session_is_one_for_all_threads(cloud: Cloud, connect: Connect) -> None:
    connect(**key(cloud), extra=place(cloud))
    assert isinstance(session.current(), ConnectionSession)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: settings.load().account, range(32)))
    assert found == {"000000000000"}
