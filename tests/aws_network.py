"""AWS's network in small: an HTTPS proxy that stands for every host of AWS and hands what it gets to a local cloud.

Programs that use it are told no endpoint: they find AWS's hosts themselves, sign for them, and speak TLS with whoever
answers there. Each request goes on unchanged, its `Host` and signature too, so that the local cloud judges what AWS
would get. What was asked of which host is kept.
"""

from __future__ import annotations

import http.client
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import boto3
import trustme
from botocore.config import Config

from tests.conftest import Cloud, start_cloud, stop_cloud

DOMAINS = ("amazonaws.com", "amazonaws.com.cn")
SERVICES = (
    *("application-autoscaling", "batch", "cloudformation", "cloudwatch", "ecr", "iam", "lambda", "logs", "s3"),
    *("sagemaker", "sagemaker-runtime", "service-quotas", "sns", "stepfunctions", "sts"),
)
_OF_THE_CONNECTION = {"connection", "expect", "proxy-connection", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Sent:
    """One request as AWS would have got it, and the status of the answer; it was signed for `region` and `service`."""

    host: str
    method: str
    path: str
    region: str
    service: str
    agent: str
    status: int
    in_address: bool  # the signature

    def fault(self, region: str) -> str:
        """What AWS would not have taken, or nothing; `region` is the one that the program was to work in."""
        host = self.host
        bucket, _, rest = host.partition(".")
        if rest in aws_hosts(region) and aws_hosts(region)[rest][1] == "s3" and bucket.startswith("scones-"):
            host = rest
        if host not in aws_hosts(region):
            return "AWS has no such host for this region"
        if (self.region, self.service) != aws_hosts(region)[host]:
            return f"signed for {self.service} in {self.region}"
        if not self.in_address and "otocore" not in self.agent:
            return "not made by botocore, so that nothing held its members against AWS's model"
        return ""


@dataclass
class Network:
    """The way to AWS for programs that get this environment, and the requests that came by."""

    environment: dict[str, str]
    cloud: Cloud
    sent: list[Sent] = field(default_factory=list)


@contextmanager
def aws_network(region: str, folder: Path) -> Iterator[Network]:
    """A network with a local cloud behind it, both over `folder`; programs are root in the cloud's account."""
    names = [word for domain in DOMAINS for word in ("--allow-host", domain)]
    cloud = start_cloud(folder / "cloud", arguments=names)
    authority = trustme.CA()
    certificate = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    server = _Server(authority, int(cloud.url.rpartition(":")[2]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy = f"http://127.0.0.1:{server.server_port}"
    environment = {
        **cloud.key,
        **{"AWS_DEFAULT_REGION": region, "AWS_REGION": region, "AWS_EC2_METADATA_DISABLED": "true"},
        **{"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
        **{"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        **{"SSL_CERT_FILE": str(certificate), "AWS_CA_BUNDLE": str(certificate)},
    }
    try:
        yield Network(environment, cloud, server.sent)
    finally:
        server.shutdown()
        server.server_close()
        stop_cloud(cloud)


@cache
def aws_hosts(region: str) -> dict[str, tuple[str, str]]:
    """What botocore's own table says of a region: each host, and the region and the service to sign for there."""
    regional = Config(s3={"us_east_1_regional_endpoint": "regional"}, ignore_configured_endpoint_urls=True)
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none")
    found = {}
    for service in SERVICES:
        client = session.client(service, region, config=regional)
        signer = client._request_signer
        found[str(urlsplit(client.meta.endpoint_url).hostname)] = (signer.region_name, signer.signing_name)
    if region == "us-east-1":
        found["s3.amazonaws.com"] = (region, "s3")  # the global host is this region's, and Airflow's own hooks use it
    return found


class _Server(ThreadingHTTPServer):
    """The proxy: certificates for the hosts that it stands for, and the local cloud's port."""

    daemon_threads = True

    def __init__(self, authority: trustme.CA, cloud_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Proxy)
        self.cloud_port = cloud_port
        self.sent: list[Sent] = []
        self._authority = authority
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(self._contexts[host])
            return self._contexts[host]


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Proxy(_Quiet):
    """Connects to any host of AWS, and to none else."""

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        self.close_connection = True
        if not host.endswith(tuple(f".{domain}" for domain in DOMAINS)):
            self.send_error(403, f"{host} is not AWS's")
            return
        self.send_response_only(200)
        self.end_headers()
        speaker = type("Speaker", (_Host,), {"name": host})
        with self.server.context(host).wrap_socket(self.connection, server_side=True) as connection:
            speaker(connection, self.client_address, self.server)


class _Host(_Quiet):
    """Speaks for one host over one connection."""

    name: ClassVar[str]

    def _hand_on(self) -> None:
        body = self._chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self._counted()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        cloud = http.client.HTTPConnection("127.0.0.1", self.server.cloud_port, timeout=300)
        try:
            cloud.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
            answer = cloud.getresponse()
            content = answer.read()
        finally:
            cloud.close()
        self.server.sent.append(self._sent(answer.status))
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_THE_CONNECTION:
                self.send_header(name, value)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _hand_on

    def _counted(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _chunks(self) -> bytes:
        content = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return content

    def _sent(self, status: int) -> Sent:
        address = parse_qs(urlsplit(self.path).query).get("X-Amz-Credential", [""])[0]
        signed = address or self.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0]
        _, _, region, service, _ = signed.split("/") if signed.count("/") == 4 else ("", "", "", "", "")
        agent = self.headers.get("User-Agent", "")
        return Sent(self.name, self.command, self.path, region, service, agent, status, bool(address))
