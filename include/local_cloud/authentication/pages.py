"""What is refused before anybody's signature is looked at: requests that a web page makes through its reader's browser.

A page of another site can send requests to the loopback address without an `Origin` (pictures, scripts, navigation),
and with a name of its own that it points at 127.0.0.1 (DNS rebinding). Browsers say where a request comes from in
`Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/); programs send neither header.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote_to_bytes

from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from .refusals import Headers
from .signature import split_query

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
HEALTH_PATH = "/_local_cloud/health"
# Where a wait condition is signalled and a custom resource answers: on AWS signed addresses, here with a random token.
_HANDED_OUT = re.compile(r"/_ministack/cfn-(signal|response)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OWN_SITES = {b"same-origin", b"none"}
_ONCE = (b"host", b"authorization", b"origin", b"sec-fetch-site", b"content-type", b"content-length", b"x-amz-target")


class Doors:
    """Judges requests by the names under which the cloud is known: those of the loopback address, and further ones."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = LOOPBACK_NAMES | {name.lower() for name in names}
        self._known: dict[bytes, bool] = {}

    def refusal(self, scope: Scope, first: Headers) -> Response | None:
        """The answer that sends a request away; None for one that may come in. `first` is its headers as a mapping."""
        path, query, headers = scope["path"], scope["query_string"], scope["headers"]
        if len(first) != len(headers) and _twice(headers):
            return _refused(400, f"the header {_twice(headers)} must not come twice")
        host = first.get(b"host", b"")
        if not self._knows(host):
            return _refused(
                403,
                f"the host name {host.decode('latin-1')[:80]!r} is not one of this cloud's: use 127.0.0.1 or localhost,"
                " or name it with --allow-host when the cloud is started",
            )
        if _is_of_a_page(first, host) and not _follows_a_signed_address(scope, first):
            return _refused(403, "requests from pages of other origins are refused")
        if query and any(unquote_to_bytes(name) == b"Action" for name, _ in split_query(query)):
            return _refused(403, "an Action in the address is refused: send it in the body of a signed POST")
        if path.startswith("/_") and not is_open(scope):
            return _refused(403, f"{path[:80]!r} is not reachable: what stands behind it is not AWS's")
        return None

    def _knows(self, host: bytes) -> bool:
        known = self._known.get(host)
        if known is None:
            known = self._is_known(_hostname(host.decode("latin-1")))
            if len(self._known) < 100:
                self._known[host] = known
        return known

    def _is_known(self, name: str) -> bool:
        """A name of the cloud's, or a bucket's below it, as SDKs address buckets."""
        return name in self._names or any(name.endswith(f".{own}") for own in self._names if not _is_address(own))


def is_open(scope: Scope) -> bool:
    """Whether an address needs no signature: the cloud's health, and those with a secret from CloudFormation."""
    return scope["path"] == HEALTH_PATH or (
        scope["method"] == "PUT" and _HANDED_OUT.fullmatch(scope["path"]) is not None
    )


def _is_of_a_page(headers: Headers, host: bytes) -> bool:
    """Whether a page that came from another address than this very one, port included, made the request."""
    origin = headers.get(b"origin")
    return headers.get(b"sec-fetch-site", b"none") not in _OWN_SITES or (
        origin is not None and origin.partition(b"://")[2] != host
    )


def _follows_a_signed_address(scope: Scope, headers: Headers) -> bool:
    """Whether a person follows a link that holds its own signature, which no page can make."""
    return (
        scope["method"] == "GET"
        and headers.get(b"sec-fetch-mode") == b"navigate"
        and headers.get(b"sec-fetch-dest") == b"document"
        and b"X-Amz-Signature=" in scope["query_string"]
    )


def _hostname(host: str) -> str:
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    return (name if name and port.isdigit() else host).strip("[]").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _twice(headers: list[tuple[bytes, bytes]]) -> str:
    """The name of a header that decides about a request and comes more than once; empty if there is none."""
    names = [name for name, _ in headers]
    return next((name.decode() for name in _ONCE if names.count(name) > 1), "")


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
