"""What keeps other sites out: the check of where a request comes from, and the headers of every answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import HTTPException, Request

# No other site can send this one without asking first, and nothing here answers such a question.
MARK = "X-Threshold-Tuner"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self';"
        " frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


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
