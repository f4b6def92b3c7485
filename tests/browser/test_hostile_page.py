"""A page of somebody else, open in the signed-in user's browser: it changes nothing and reads nothing, here and there.

It comes from another port of the loopback address, the nearest that a stranger's page can be: the browser calls that
the same site, sends the session's cookies with its requests, and lets them out without asking. It comes from a name
that its owner points at 127.0.0.1 (DNS rebinding), too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from string import Template
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from playwright.sync_api import expect

from include.scones.settings import Settings
from tests.browser.conftest import Sessions
from tests.browser.tuner import TUNER, threshold_deployed
from tests.stack import Launcher

TOPIC = "made-by-a-page"
STACK = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": TOPIC}}}})
QUERIES = (
    {"Action": "CreateStack", "StackName": TOPIC, "TemplateBody": STACK, "Version": "2010-05-15"},
    {"Action": "CreateTopic", "Name": TOPIC, "Version": "2010-03-31"},
)
CHANGE = json.dumps({"threshold": 0.5, "replaces": 0.93})
PAGE = Template("""<!doctype html><title>hostile</title><p id="done"></p><iframe name="frame"></iframe>
<script>
const read = [], asked = [];
const cloud = $cloud, tuner = $tuner, queries = $queries, change = $change, here = location.host;
function element(kind, address) {
  asked.push(new Promise((done) => {
    const made = document.createElement(kind);
    made.onload = made.onerror = done;
    setTimeout(done, 5000);
    made[kind === "link" ? "href" : "src"] = address;
    if (kind === "link") made.rel = "stylesheet";
    document.body.append(made);
  }));
}
function form(address, type, fields) {
  const made = document.createElement("form");
  Object.assign(made, { action: address, method: "POST", enctype: type, target: "frame" });
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    made.append(input);
  }
  document.body.append(made);
  made.submit();
  return new Promise((done) => setTimeout(done, 300));
}
async function ask(address, options) {
  try {
    const answer = await fetch(address, { credentials: "include", ...options });
    const text = await answer.text();
    if (answer.type !== "opaque" && answer.ok && new URL(address).host !== here) read.push([address, text]);
    if (answer.ok && new URL(address).host === here && text.length) read.push([address, text]);
  } catch (error) { /* refused, as it should be */ }
}
async function attack() {
  for (const query of queries) {
    const address = cloud + "/?" + query;
    for (const kind of ["img", "script", "iframe", "link"]) element(kind, address);
    for (const mode of ["no-cors", "cors"]) {
      asked.push(ask(address, { mode }), ask(cloud, { mode, method: "POST", body: new URLSearchParams(query) }));
    }
    await form(cloud, "application/x-www-form-urlencoded", Object.fromEntries(new URLSearchParams(query)));
    await form(cloud, "text/plain", Object.fromEntries(new URLSearchParams(query)));
  }
  for (const path of ["/", "/_ministack/health", "/_local_cloud/health", "/2015-03-31/functions"]) {
    for (const mode of ["no-cors", "cors"]) asked.push(ask(cloud + path, { mode }));
  }
  for (const path of ["api/state", "api/evidence", "api/images"]) {
    for (const mode of ["no-cors", "cors"]) asked.push(ask(tuner + path, { mode }));
  }
  for (const type of ["text/plain", "application/json", "application/x-www-form-urlencoded"]) {
    for (const mode of ["no-cors", "cors"]) {
      const headers = mode === "cors" ? { "content-type": type, "X-Threshold-Tuner": "1" } : { "content-type": type };
      asked.push(ask(tuner + "api/changes", { mode, method: "POST", body: change, headers }));
    }
  }
  await form(tuner + "api/changes", "text/plain", { [change.slice(0, -1) + ', "x": "']: '"}' });
  asked.push(new Promise((done) => {
    const socket = new WebSocket(cloud.replace("http", "ws") + "/any");
    socket.onopen = () => { read.push(["websocket", "open"]); done(); };
    socket.onerror = socket.onclose = done;
  }));
  await Promise.all(asked);
  window.read = read;
  document.getElementById("done").textContent = "done";
}
attack();
</script>""")


class Server(ThreadingHTTPServer):
    page = ""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.server.page.encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def hostile(job: Launcher) -> Iterator[Server]:
    """Serves the page to whoever asks."""
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def state(here: Settings) -> dict[str, Any]:
    """What the page tries to change."""
    return {
        "stacks": sorted(
            f"{stack['StackName']} {stack['StackStatus']}"
            for stack in boto3.client("cloudformation").list_stacks()["StackSummaries"]
        ),
        "topics": sorted(topic["TopicArn"] for topic in boto3.client("sns").list_topics()["Topics"]),
        "threshold": threshold_deployed(here),
    }


def attack(sessions: Sessions, token: str, job: Launcher, server: Server, cloud: str) -> list[Any]:
    """Open the page in a session that is signed in to Airflow; gives what it could read."""
    values = {
        "cloud": cloud,
        "tuner": f"{job.config.airflow_url}{TUNER}",
        "queries": [urlencode(query) for query in QUERIES],
        "change": CHANGE,
    }
    server.page = PAGE.substitute({name: json.dumps(value) for name, value in values.items()})
    page = sessions(token).new_page()
    page.goto(f"{job.config.airflow_url}{TUNER}")
    expect(page.locator("#tuner")).to_be_visible()  # the session is good
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    expect(page.locator("#done")).to_have_text("done")
    return list(page.evaluate("read"))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_another_port(
    sessions: Sessions, admin_token: str, job: Launcher, here: Settings, hostile: Server, name: str
) -> None:
    before = state(here)
    with job.api() as api:
        runs = len(api.runs("inference_workflow"))
        assert attack(sessions, admin_token, job, hostile, job.config.cloud_url.replace("127.0.0.1", name)) == []
        assert state(here) == before
        assert len(api.runs("inference_workflow")) == runs


def test_a_page_whose_name_points_here(sessions: Sessions, job: Launcher, here: Settings) -> None:
    """The name resolves to 127.0.0.1, so that to the browser the cloud itself is the page's own site."""
    before = state(here)
    page = sessions().new_page()
    rebound = f"http://rebound.attacker.example:{job.config.cloud_port}"
    answer = page.goto(f"{rebound}/_local_cloud/health")
    assert answer is not None and answer.status == 403
    read = page.evaluate(
        """async (queries) => {
          const answers = [];
          for (const query of queries) answers.push((await fetch("/?" + query)).status);
          for (const query of queries) answers.push((await fetch("/", { method: "POST", body: query })).status);
          for (const path of ["/", "/2015-03-31/functions"]) answers.push((await fetch(path)).status);
          return answers;
        }""",
        [urlencode(query) for query in QUERIES],
    )
    assert read == [403] * 6
    assert state(here) == before
