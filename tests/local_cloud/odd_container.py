"""A serving container that does what the request's content type says, to see how the cloud takes it."""

from __future__ import annotations

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, b"", {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        kind = self.headers["content-type"]
        if kind == "test/die":
            os._exit(3)
        if kind == "test/hang-up":
            self.close_connection = True
            return
        if kind == "test/slow":
            time.sleep(float(body))
        status = int(body) if kind == "test/status" else 200
        headers = {"X-Amzn-SageMaker-Custom-Attributes": "from=container"} if kind == "test/attributes" else {}
        seen = {"headers": {name.lower(): value for name, value in self.headers.items()}, "size": len(body)}
        seen["environment"] = dict(os.environ)
        seen["pid"] = os.getpid()
        self._answer(status, json.dumps(seen).encode(), {"content-type": "application/json", **headers})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


if __name__ == "__main__":
    sys.stdout.write("the odd container serves\n")
    sys.stdout.flush()
    time.sleep(float(os.environ.get("SECONDS_TO_START", 0)))
    address = (os.environ["SAGEMAKER_BIND_TO_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    ThreadingHTTPServer(address, Handler).serve_forever()
