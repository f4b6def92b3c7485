"""Who is let in: where a request must come from, who must be signed in, and the headers of every answer."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from fastapi import HTTPException, Request

# No other site can send this one without asking first, and nothing here answers such a question.
MARK = "X-Threshold-Tuner"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FRAMED = "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
POLICY = f"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; {FRAMED}"


async def sign_in_first(request: Request) -> None:
    """Send a visitor without a session to Airflow's sign-in, and from there back to the page."""
    try:
        await get_user(request, None, await bearer_scheme(request))
    except HTTPException as error:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        sign_in = f"{request.base_url.path.rstrip('/')}/api/v2/auth/login?{urlencode({'next': here})}"
        raise HTTPException(307, f"sign in first: {sign_in}", {"Location": sign_in}) from error


def same_origin(request: Request) -> None:
    """Refuse what a page of another site, or of another port of this host, made the browser send."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    # Browsers since 2023 say the former, and say it right even where a proxy renames the host.
    ours = site == "same-origin" if site else origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise HTTPException(403, f"this request comes from another site ({origin or site}): use the page itself")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send application/json")
    if request.headers.get(MARK) != "1":
        raise HTTPException(403, f"the header {MARK}: 1 is missing")
