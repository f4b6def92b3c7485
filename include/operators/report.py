"""Builds the capture report of a window, publishes its figures, and links the task to it in the UI."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import Asset, BaseOperator, BaseOperatorLink, Context

PUBLISHED = ("window", "records", "predictions", "low_confidence", "low_confidence_share", "malformed", "report")
# The longest that a signed S3 address can be valid; one signed by a role's credentials ends with them.
LINK_SECONDS = 7 * 24 * 3600


class ReportLink(BaseOperatorLink):
    """A signed address of the report's page, made when its task ends and valid for up to seven days."""

    name = "Capture report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        from include.scones.aws import buckets

        uri: str = getattr(operator, "report_uri", "")
        if not uri:
            return ""
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return buckets.link(bucket, key, LINK_SECONDS)


class ReportOperator(BaseOperator):
    """Writes the report of `window` (ISO 8601 `start` and `end`) and returns its summary."""

    template_fields = ("window",)
    operator_extra_links = (ReportLink(),)

    def __init__(self, *, window: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.window = window
        self.report_uri = ""

    def execute(self, context: Context) -> dict[str, Any]:
        from include.scones import settings
        from include.scones.capture import project
        from include.scones.capture.publishing.metrics import publish_metrics
        from include.scones.capture.window import Window

        window = Window(*(datetime.fromisoformat(self.window[name]) for name in ("start", "end")))
        summary = project.build(settings.load(), window)
        publish_metrics(summary)
        self.report_uri = summary["report"]
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra = {name: summary[name] for name in PUBLISHED}
        return summary
