"""The reports inside of Airflow: who may read them, that nothing else of the bucket comes out, and how they come."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from include.operators.report import ReportLink
from tests.plugins.conftest import SignIn

PAGE = "<!doctype html><html><head><meta charset=utf-8></head><body>one day</body></html>"
DAY = "ds=2026-01-01"
FILES = {
    "index.html": "text/html; charset=utf-8",
    f"{DAY}/index.html": "text/html; charset=utf-8",
    f"{DAY}/summary.json": "application/json",
    f"{DAY}/records.parquet": "application/vnd.apache.parquet",
    f"{DAY}/confidence.png": "image/png",
}
ODD = (
    "../../dataset.json",
    f"{DAY}/../../../dataset.json",
    "..%2f..%2fdataset.json",
    "..%2f..%2ftuning%2fc1.json",
    "%2e%2e/%2e%2e/dataset.json",
    f"{DAY}//index.html",
    f"/{DAY}/index.html",
    f"{DAY}%5cindex.html",
    f"{DAY}/index.html%00",
    f"{DAY}/index.html%0a",
    f"{DAY}/.hidden.json",
    f"{DAY}/script.js",
    f"{DAY}/picture.svg",
    f"{DAY}/INDEX.HTML",
    DAY,
    f"{DAY}/",
    "a" * 2000 + ".json",
    "none.json",
    "none.html",
)


@pytest.fixture(scope="module")
def reports(bucket: str) -> Iterator[None]:
    """A day's files, and others that lie beside them."""
    s3 = boto3.client("s3")
    for name in FILES:
        body = PAGE if name.endswith(".html") else f"the body of {name}"
        # What S3 was told of the type is not what a browser is told.
        s3.put_object(Bucket=bucket, Key=f"reports/capture/{name}", Body=body.encode(), ContentType="text/html")
    for key in ("dataset.json", "tuning/c1.json", "reports/other.json", f"reports/capture/{DAY}/.hidden.json"):
        s3.put_object(Bucket=bucket, Key=key, Body=b'{"classes": ["not a report\'s", "b"]}')
    for name in ("script.js", "picture.svg", "INDEX.HTML"):
        s3.put_object(Bucket=bucket, Key=f"reports/capture/{DAY}/{name}", Body=b"of no type that is served")
    yield


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize("user", ["victor", "anna", "olga"])
@pytest.mark.parametrize("name", FILES)
def test_readers_of_the_dag_read_its_reports(sign_in: SignIn, user: str, name: str) -> None:
    answer = sign_in(user).get(f"/reports/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, FILES[name])
    assert answer.headers["x-content-type-options"] == "nosniff"
    if name.endswith(".html"):
        script = re.search("<head><script>(.*?)</script><meta", answer.text, re.DOTALL)
        assert script and answer.text.replace(f"<script>{script[1]}</script>", "") == PAGE
        digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}';" in answer.headers["content-security-policy"]
    else:
        assert answer.text == f"the body of {name}"


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize("name", ["", *FILES, "api/steps", "page/steps.js", "none.json"])
def test_nobody_else_does(sign_in: SignIn, name: str) -> None:
    answer = sign_in(None).get(f"/reports/{name}")
    if name == "" or name.endswith(".html"):
        assert answer.status_code == 307
        assert answer.headers["location"].startswith("/api/v2/auth/login?next=%2Freports%2F")
    else:
        assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
    assert sign_in("nora").get(f"/reports/{name}").status_code == 403


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize("user", [None, "nora", "olga"])
@pytest.mark.parametrize("name", ["", *FILES, "none.json"])
def test_every_answer_carries_the_headers(sign_in: SignIn, user: str | None, name: str) -> None:
    headers = sign_in(user).get(f"/reports/{name}").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy
    assert not re.search(r"script-src[^;]*unsafe", policy)
    assert (headers["cache-control"], headers["x-frame-options"]) == ("no-store", "SAMEORIGIN")


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize("name", ODD)
def test_nothing_but_reports(server: str, sign_in: SignIn, name: str) -> None:
    """The path goes over the wire as it stands here, for clients would tidy it up."""
    host, port = server.removeprefix("http://").split(":")
    token = sign_in("olga").cookies["_token"]
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        lines = (
            f"GET /reports/{name} HTTP/1.1",
            f"Host: {host}:{port}",
            f"Cookie: _token={token}",
            "Connection: close",
        )
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split(b" ", 2)[1] == b"404"
    assert b"not a report's" not in answer and b"of no type" not in answer and b"one day" not in answer


def test_what_is_large_comes_in_pieces_and_whole(sign_in: SignIn, bucket: str) -> None:
    body = bytes(range(256)) * 12_000
    boto3.client("s3").put_object(Bucket=bucket, Key="reports/capture/large.parquet", Body=body)
    answer = sign_in("victor").get("/reports/large.parquet", headers={"Accept-Encoding": "identity"})
    assert (answer.content, answer.headers["content-length"]) == (body, str(len(body)))


def test_where_there_is_none_the_page_is_a_checklist(sign_in: SignIn, bucket: str) -> None:
    boto3.client("s3").delete_object(Bucket=bucket, Key="reports/capture/index.html")
    answer = sign_in("victor").get("/reports/")
    assert answer.status_code == 200 and "There is no report yet" in answer.text
    steps = sign_in("victor").get("/reports/api/steps").json()
    done = {step["dag_id"]: step["done"] for step in steps}
    assert (done["train_and_deploy"], done["inference_workflow"]) == (False, False)


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("http://127.0.0.1:8080", f"/reports/{DAY}/index.html"),
        ("https://flow.example/air/", f"/air/reports/{DAY}/index.html"),
    ],
)
def test_a_task_s_link_is_a_path_and_no_bearer_s(monkeypatch: pytest.MonkeyPatch, base: str, path: str) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
    operator: Any = type("Operator", (), {"report_uri": f"s3://some-bucket/reports/capture/{DAY}/index.html"})()
    assert ReportLink().get_link(operator, ti_key=None) == path
    operator.report_uri = ""
    assert ReportLink().get_link(operator, ti_key=None) == ""
