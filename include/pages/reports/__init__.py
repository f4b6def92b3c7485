"""The capture reports, as the DAG wrote them to S3."""

from __future__ import annotations

from include.pages.reports.routes import make_app

__all__ = ["make_app"]
