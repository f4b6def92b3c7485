"""The command line: `python -m include.local_cloud` serves until Ctrl-C or SIGTERM, then stops cleanly."""

from __future__ import annotations

import argparse
import fcntl
import ipaddress
import json
import os
import socket
import sys
from pathlib import Path
from typing import IO

from .account import ACCOUNT
from .authentication.keys import KeyRing, from_environment
from .clock import Clock
from .errors import AddressError, CloudError, DataFolderError
from .private import UMASK, close_to_others, inherited

KEY_FROM_ENVIRONMENT = "--key-from-environment"
_OF_PYTHON = {"LC_CTYPE"}  # it sets this one itself


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
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name under which clients reach it, beside those of the loopback address; may be repeated",
    )
    options.add_argument(
        KEY_FROM_ENVIRONMENT,
        action="store_true",
        help="make AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY the data folder's access key, instead of a new one",
    )
    options.add_argument(
        "--images", type=Path, help='a JSON file of further containers: {"repository": ["program", "argument"]}'
    )
    options.add_argument(
        "--clock", type=Path, metavar="FILE", help="a file with the seconds by which alarms and time limits are ahead"
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


def start_clean() -> None:
    """Begin anew with nothing in the environment that is not needed: functions and containers could read the rest."""
    wanted = inherited()
    if set(os.environ) - set(wanted) - _OF_PYTHON:
        arguments = [argument for argument in sys.orig_argv if argument != KEY_FROM_ENVIRONMENT]
        os.execve(sys.executable, arguments, wanted)  # noqa: S606 - this very program, with its own arguments


def lock(data: Path) -> IO[str]:
    """Hold the data folder for this process, for as long as the file is open. Raises `DataFolderError`."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        close_to_others(data)
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
    """The arguments that run each container, by repository name. Raises `CloudError` for a file that cannot be read."""
    from .containers.images import BUILT_IN

    if path is None:
        return dict(BUILT_IN)
    try:
        further = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CloudError(f"the images file {path} cannot be read: {error}") from error
    return {**BUILT_IN, **further}


def main() -> int:
    options = parser().parse_args()
    os.umask(UMASK)
    try:
        with lock(options.data):
            given = from_environment(ACCOUNT) if options.key_from_environment else None
            keys = KeyRing.open(options.data, ACCOUNT, given)
            start_clean()
            run(options, keys)
    except CloudError as error:
        sys.stderr.write(f"local cloud: {error}\n")
        return 2
    return 0


def run(options: argparse.Namespace, keys: KeyRing) -> None:
    """Serve until a signal. Raises `CloudError`."""
    from .ministack import embedding  # this and what follows takes a while, and needs a clean environment

    data, names = options.data.resolve(), frozenset({options.host, *options.allow_host})
    with listen(options.host, options.port, options.allow_remote) as listener:
        port = listener.getsockname()[1]
        url = address(options.host, port)
        embedding.configure(options.host, port, url, data, keys)
        sys.stdout.write(f"local cloud: {url} (data in {data}; Ctrl-C stops it)\n")
        sys.stdout.flush()
        from .context import open_context
        from .server import serve

        serve(listener, open_context(data, url, images(options.images), keys, Clock(options.clock)), names)


if __name__ == "__main__":
    sys.exit(main())
