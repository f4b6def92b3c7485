"""The whole workflow in containers: built from the project's files, on Celery workers, with users and roles."""

from __future__ import annotations

from typing import Any, cast

import boto3
import httpx
import pytest

from include.launcher.services import Services
from include.launcher.workflow import CHAIN, Step, Workflow
from include.scones.cifar.sample import write_sample
from include.scones.s3_layout import REPORTS
from tests.compose.signing_in import signed_in
from tests.compose.stack import Stack

# They build on each other, in this order, and the images may have to be made first.
pytestmark = pytest.mark.timeout(3600)
ENDED = {"/scones-test_database_1", "/scones-test_init_1"}

LOOK = """
import socket, sys
for name in sys.argv[1:]:
    try:
        print(name, bool(socket.getaddrinfo(name, 1)))
    except OSError:
        pass
"""


class Watched:
    """Containers start again by themselves: a workflow has nothing to watch."""

    def check(self) -> None:
        pass


def follow(stack: Stack, conf: dict[str, Any], *chain: str) -> list[Step]:
    with stack.api() as api:
        workflow = Workflow(api, cast(Services, Watched()), conf, chain)
        for _ in workflow.run():
            pass
        return workflow.steps


def test_everything_gets_healthy_and_what_prepares_ends(containers: Stack) -> None:
    found = containers.health()
    assert {name for name, state in found.items() if state == "exited"} == ENDED
    assert {name for name, state in found.items() if state == "running"} == {"/scones-test_cleaner_1"}
    assert sum("worker" in name for name in found) == 2


def test_looking_after_health_costs_next_to_nothing(containers: Stack) -> None:
    """CPU seconds of all checks a second, without the engine's own."""
    share = 0.0
    for service, count in (("postgres", 1), ("redis", 1), ("api-server", 1), ("scheduler", 1), ("dag-processor", 1),
                           ("triggerer", 1), ("worker", 2), ("cloud", 1)):  # fmt: skip
        share += count * containers.check_seconds(service)
    containers.engine.figures["what the health checks take of a core"] = f"{share:.1%}"
    assert share < 0.05


def test_airflow_is_no_superuser_and_a_worker_has_no_keys(containers: Stack) -> None:
    asked = "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = 'airflow'"
    assert containers.inside("postgres", "psql", "--tuples-only", "--no-align", "--command", asked).strip() == "f"
    environment = containers.inside("worker", "env")
    held = {name for name, value in containers.settings.items() if len(value) > 30 and value in environment}
    assert held == {"REDIS_PASSWORD"}


def test_the_local_cloud_meets_neither_database_nor_broker(containers: Stack) -> None:
    assert containers.inside("cloud", "python", "-c", LOOK, "postgres", "redis", "worker").split() == ["worker", "True"]


def test_a_viewer_looks_and_an_op_starts(containers: Stack) -> None:
    body = {"logical_date": None, "conf": {"scope": "endpoint", "dry_run": True}}
    with signed_in(containers, "victor", containers.add_user("victor", "Viewer")) as viewer:
        assert viewer.get("/api/v2/dags").raise_for_status().json()["total_entries"] == 7
        assert viewer.post("/api/v2/dags/teardown/dagRuns", json=body).status_code == 403
        assert viewer.get("/api/v2/connections").status_code == 403
    with signed_in(containers, "olga", containers.add_user("olga", "Op")) as op:
        assert op.post("/api/v2/dags/teardown/dagRuns", json=body).is_success
    assert httpx.get(f"{containers.url}/api/v2/dags", timeout=30).status_code == 401


def test_the_chain_runs_on_workers_whose_logs_the_api_shows(containers: Stack) -> None:
    archive, bucket = write_sample(containers.folder / "sample.tar.gz", train=60, test=20), "archives"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.upload_file(str(archive), bucket, archive.name)
    steps = follow(containers, {"archive": f"s3://{bucket}/{archive.name}", "sha256": None}, *CHAIN)
    assert [step.state for step in steps] == ["success"] * len(CHAIN)
    hosts = {task["hostname"] for step in steps for task in step.tasks if task["hostname"]}
    workers = {containers.inside("worker", "hostname", index=index).strip() for index in (1, 2)}
    assert hosts and {host.partition(".")[0] for host in hosts} <= workers
    train = next(task for task in steps[1].tasks if task["task_id"] == "train")
    with containers.api() as api:
        assert any("accuracy" in line.lower() for line in api.log(steps[1].dag_id, steps[1].run_id, train))
    assert "cloud:4566" not in str(steps[3].published)


def report_pages() -> list[str]:
    s3 = boto3.client("s3")
    (bucket,) = [found["Name"] for found in s3.list_buckets()["Buckets"] if found["Name"].startswith("scones-")]
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix=REPORTS)["Contents"]]
    return [key.removeprefix(REPORTS) for key in keys if key.endswith(".html")]


def test_the_pages_show_what_was_run(containers: Stack) -> None:
    with signed_in(containers, "admin", containers.settings["ADMIN_PASSWORD"]) as admin:
        assert "There is no report yet" not in admin.get("/reports/").raise_for_status().text
        for page in report_pages():
            admin.get(f"/reports/{page}").raise_for_status()
        assert admin.get("/threshold-tuner/").raise_for_status().headers["content-type"].startswith("text/html")
        assert admin.get("/threshold-tuner/api/state").raise_for_status().json()["threshold"] == pytest.approx(0.93)


def test_batch_and_teardown(containers: Stack) -> None:
    assert follow(containers, {}, "batch_inference")[0].state == "success"
    conf = {"scope": "everything", "dry_run": False, "confirm": "scones-unlimited"}
    assert follow(containers, conf, "teardown")[0].state == "success"
    assert boto3.client("sagemaker").list_endpoints()["Endpoints"] == []
