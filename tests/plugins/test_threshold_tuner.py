"""Who may see and do what with the tuner, what other sites may not, and what it says, on a real API server."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT
from tests.plugins.conftest import PROJECT, SignIn

LOOK = ("/threshold-tuner/", "/threshold-tuner/page/theme.js", "/threshold-tuner/api/state")
EVIDENCE = ("/threshold-tuner/api/evidence", "/threshold-tuner/api/images")
CHANGES = "/threshold-tuner/api/changes"
RUNS = "/api/v2/dags/inference_workflow/dagRuns"
ASKED = {"threshold": 0.9, "replaces": 0.93}
OURS = {"X-Threshold-Tuner": "1", "Sec-Fetch-Site": "same-origin"}
NO_ENDPOINT = f"there is no endpoint {PROJECT}-endpoint: trigger cifar_etl first"


def ask(client: httpx.Client, body: Any = None, **headers: str) -> httpx.Response:
    return client.post(CHANGES, json=body or ASKED, headers=OURS | {k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize("path", [*LOOK[1:], *EVIDENCE])
def test_nobody_looks_without_signing_in(sign_in: SignIn, path: str) -> None:
    answer = sign_in(None).get(path)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize("cookie", ["", "e30.e30.e30"])
def test_a_visitor_of_the_page_is_asked_to_sign_in(server: str, cookie: str) -> None:
    answer = httpx.get(f"{server}/threshold-tuner/?a=1&b=2", cookies={"_token": cookie}, timeout=30)
    assert answer.status_code == 307
    assert answer.headers["location"] == "/api/v2/auth/login?next=%2Fthreshold-tuner%2F%3Fa%3D1%26b%3D2"
    there = httpx.get(f"{server}{answer.headers['location']}", timeout=30)
    assert there.headers["location"] == "/auth/login?next=%2Fthreshold-tuner%2F%3Fa%3D1%26b%3D2"


@pytest.mark.parametrize("path", [*LOOK, *EVIDENCE])
def test_who_has_no_right_looks_at_nothing(sign_in: SignIn, path: str) -> None:
    assert sign_in("nora").get(path).status_code == 403
    assert ask(sign_in("nora")).status_code == 403


def test_nobody_applies_without_signing_in(sign_in: SignIn) -> None:
    assert ask(sign_in(None)).status_code == 401
    assert sign_in(None).post(RUNS, json={"logical_date": None, "conf": {}}).status_code == 401


def test_a_forged_session_is_none(server: str) -> None:
    answer = httpx.get(f"{server}/threshold-tuner/api/state", cookies={"_token": "e30.e30.e30"}, timeout=30)
    assert answer.status_code in (401, 403)


@pytest.mark.parametrize("user", ["victor", "anna", "olga"])
@pytest.mark.parametrize("path", LOOK)
def test_readers_look(sign_in: SignIn, user: str, path: str) -> None:
    assert sign_in(user).get(path).status_code == 200


@pytest.mark.parametrize("path", EVIDENCE)
def test_readers_are_told_what_is_missing(sign_in: SignIn, path: str) -> None:
    answer = sign_in("victor").get(path)
    assert (answer.status_code, answer.json()) == (409, {"detail": NO_ENDPOINT})


def test_the_checklist_of_an_empty_account(sign_in: SignIn) -> None:
    steps = sign_in("victor").get("/threshold-tuner/api/state").json()["steps"]
    assert [(step["dag_id"], step["done"]) for step in steps] == [
        ("cifar_etl", False),
        ("train_and_deploy", False),
        ("inference_workflow", False),
        ("capture_report", False),
    ]


def test_a_reader_may_not_apply(sign_in: SignIn) -> None:
    assert sign_in("victor").get("/threshold-tuner/api/state").json()["may_apply"] is False
    assert ask(sign_in("victor")).status_code == 403
    assert sign_in("victor").post(RUNS, json={"logical_date": None, "conf": {}}).status_code == 403


@pytest.mark.parametrize("user", ["anna", "olga"])
def test_who_may_start_the_dag_may_apply(sign_in: SignIn, user: str) -> None:
    assert sign_in(user).get("/threshold-tuner/api/state").json()["may_apply"] is True
    answer = ask(sign_in(user))
    assert (answer.status_code, answer.json()["detail"]) == (409, NO_ENDPOINT)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": "http://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": "null"}, 403),
        ({"X-Threshold-Tuner": ""}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_other_sites_are_refused(sign_in: SignIn, headers: dict[str, str], status: int) -> None:
    answer = sign_in("olga").post(CHANGES, json=ASKED, headers=OURS | headers)
    assert answer.status_code == status, answer.text


def test_other_sites_get_no_leave_to_ask(sign_in: SignIn) -> None:
    headers = {"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = sign_in("olga").options(CHANGES, headers=headers)
    assert not any(name.startswith("access-control-allow") for name in answer.headers)


@pytest.mark.parametrize("user", [None, "victor", "olga"])
@pytest.mark.parametrize("path", [*LOOK, *EVIDENCE, "/threshold-tuner/none"])
def test_every_answer_carries_the_headers(sign_in: SignIn, user: str | None, path: str) -> None:
    headers = sign_in(user).get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["none.js", "..%2fguard.py", "..%2f..%2fscones_pages.py", "tuner.html", "tuner.js%00"])
def test_only_the_page_s_own_files(sign_in: SignIn, name: str) -> None:
    assert sign_in("olga").get(f"/threshold-tuner/page/{name}").status_code == 404


def test_the_page_names_nothing_from_outside() -> None:
    page = ROOT / "include" / "pages" / "assets"
    for path in page.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in "\n".join(line for line in text.splitlines() if not line.strip().startswith("//")), path.name
        # Names of classes, images and runs go in as text: nothing here makes HTML or code of a text.
        assert not re.search(r"\b(innerHTML|outerHTML|insertAdjacentHTML|write|eval|Function|srcdoc)\b", text), (
            path.name
        )
        assert "style=" not in text, path.name


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"threshold": "0.9", "replaces": 0.93}, 422, "threshold: Input should be a valid number"),
        ({"threshold": None, "replaces": 0.93}, 422, "threshold"),
        ({"threshold": 0.9}, 422, "replaces: Field required"),
        ({"threshold": 0.9, "replaces": 0.93, "seed": 1}, 422, "seed: Extra inputs are not permitted"),
        ([0.9], 422, "the request is not valid"),
        ({"threshold": 1.2, "replaces": 0.93}, 409, "the threshold 1.2 is not from "),
        ({"threshold": 0.9051, "replaces": 0.93}, 409, "the threshold 0.9051 is not from "),
    ],
)
def test_what_cannot_be_asked_for(sign_in: SignIn, body: Any, status: int, words: str) -> None:
    answer = ask(sign_in("olga"), body)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_airflow_itself_refuses_a_threshold_out_of_range(sign_in: SignIn) -> None:
    answer = sign_in("olga").post(RUNS, json={"logical_date": None, "conf": {"threshold": 1.2}})
    assert answer.status_code == 400


def deployed_by(client: httpx.Client, threshold: float) -> str:
    """A run that asked for the threshold and whose deployment succeeded, as far as Airflow's records go."""
    run = client.post(RUNS, json={"logical_date": None, "conf": {"threshold": threshold}}).raise_for_status().json()
    path = f"{RUNS}/{run['dag_run_id']}"
    client.patch(f"{path}/taskInstances/deploy", json={"new_state": "success"}).raise_for_status()
    client.patch(path, json={"state": "success"}).raise_for_status()
    return str(run["dag_run_id"])


def test_who_set_it_and_what_was_before(sign_in: SignIn) -> None:
    client = sign_in("olga")
    before = client.get("/threshold-tuner/api/state").json()
    assert (before["set"], before["previous"], before["run"]) == (None, None, None)

    deployed_by(sign_in("anna"), 0.8)
    client.post(RUNS, json={"logical_date": None, "conf": {"threshold": 0.7}}).raise_for_status()
    under_way = client.get("/threshold-tuner/api/state").json()["run"]
    assert under_way["state"] == "queued"
    refused = ask(client)
    assert refused.status_code == 409
    assert f"inference_workflow is queued ({under_way['run_id']})" in refused.json()["detail"]
    client.patch(f"{RUNS}/{under_way['run_id']}", json={"state": "failed"}).raise_for_status()

    run_id = deployed_by(sign_in("anna"), 0.93)
    now = client.get("/threshold-tuner/api/state").json()
    assert (now["set"]["user"], now["set"]["run_id"], now["set"]["threshold"]) == ("anna", run_id, 0.93)
    # The run that failed deployed nothing.
    assert now["previous"] == 0.8


def test_the_dag_is_paused(sign_in: SignIn, server: str) -> None:
    client = sign_in("olga")
    client.patch("/api/v2/dags/inference_workflow", json={"is_paused": True}).raise_for_status()
    assert "inference_workflow is paused" in ask(client).json()["detail"]
    client.patch("/api/v2/dags/inference_workflow", json={"is_paused": False}).raise_for_status()
