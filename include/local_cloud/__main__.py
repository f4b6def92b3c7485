"""The command line: `python -m include.local_cloud` serves until Ctrl-C or SIGTERM, then stops cleanly."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import ipaddress
import json
import logging
import os
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import IO

import uvicorn

from . import ministack
from .errors import AddressError, CloudError, DataFolderError

logger = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m include.local_cloud", description=__doc__)
    options.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    options.add_argument("--port", type=int, default=4566, help="the port to listen on (default: %(default)s)")
    options.add_argument(
        "--data",
        type=Path,
        default=Path(".local/cloud"),
        help="the folder that keeps everything (default: %(default)s)",
    )
    options.add_argument(
        "--allow-remote",
        action="store_true",
        help="allow a --host that other machines can reach: anyone there can run code",
    )
    options.add_argument(
        "--images", type=Path, help='a JSON file of further containers: {"repository": ["program", "argument"]}'
    )
    return options


def listen(host: str, port: int, allow_remote: bool) -> socket.socket:
    """A listening socket. Raises `AddressError`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise AddressError(f"the host {host!r} is not known: {error}") from error
    address = str(found[4][0])
    if not ipaddress.ip_address(address).is_loopback and not allow_remote:
        raise AddressError(
            f"the host {host!r} can be reached from other machines, which could then run code here: use 127.0.0.1, "
            "or give --allow-remote as well if that is what you want"
        )
    listener = socket.socket(found[0], socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(found[4])
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AddressError(
            f"cannot listen on {host} port {port}: {error.strerror}; stop what uses it, or give another --port"
        ) from error
    return listener


def address(host: str, port: int) -> str:
    """The URL under which this machine reaches the cloud."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def lock(data: Path) -> IO[str]:
    """Hold the data folder for this process, for as long as the file is open. Raises `DataFolderError`."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        file = (data / "lock").open("a+")
    except OSError as error:
        raise DataFolderError(
            f"the data folder {data} cannot be used: {error.strerror}; give another --data"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise DataFolderError(
            f"the data folder {data} is in use by the local cloud with process id {(data / 'lock').read_text()}: "
            "stop that one, or give another --data"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def images(path: Path | None) -> dict[str, list[str]]:
    from .containers.images import BUILT_IN

    if path is None:
        return dict(BUILT_IN)
    try:
        further = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CloudError(f"the images file {path} cannot be read: {error}") from error
    return {**BUILT_IN, **further}


class Server(uvicorn.Server):
    """Stops the services while requests are still answered, and only then stops answering."""

    _stopping = False

    async def stop_services(self) -> None:
        from .app import Application

        application = self.config.app
        try:
            if isinstance(application, Application):
                await application.services.stop()
        except Exception:
            logger.exception("a service did not stop as it should")
        finally:
            self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit or self._stopping:
            self.force_exit = True
            self.should_exit = True
            return
        self._stopping = True
        self._task = asyncio.run_coroutine_threadsafe(self.stop_services(), self._loop)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)


def serve(listener: socket.socket, url: str, data: Path, image_map: dict[str, list[str]]) -> None:
    from .app import Application
    from .context import open_context
    from .services import Services
    from .snapshots import Snapshots

    services = Services(open_context(data, url, image_map), Snapshots())
    application = Application(services, ministack.load())
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    logging.getLogger("include.local_cloud").setLevel(logging.INFO)
    server = Server(config)
    server.run([listener])
    if not server.started:
        raise CloudError("it did not start; the lines above say why")


def main() -> int:
    options = parser().parse_args()
    try:
        held = lock(options.data)
        with held, listen(options.host, options.port, options.allow_remote) as listener:
            port = listener.getsockname()[1]
            url = address(options.host, port)
            data = options.data.resolve()
            ministack.configure(options.host, port, url, data)
            sys.stdout.write(f"local cloud: {url} (data in {data}; Ctrl-C stops it)\n")
            sys.stdout.flush()
            serve(listener, url, data, images(options.images))
    except CloudError as error:
        sys.stderr.write(f"local cloud: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
