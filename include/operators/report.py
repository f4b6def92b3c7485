"""Builds the capture report of a window, publishes its figures, and links the task to it in the UI."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import Asset, BaseOperator, BaseOperatorLink, Context, conf

from include.scones.s3_layout import REPORTS

PUBLISHED = ("window", "records", "predictions", "low_confidence", "low_confidence_share", "malformed", "report")


class ReportLink(BaseOperatorLink):
    """The report's page in Airflow: a path, good in every browser and for as long as there is the report."""

    name = "Capture report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        _, found, page = getattr(operator, "report_uri", "").partition(f"/{REPORTS}")
        root = urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/")
        return f"{root}/reports/{quote(page, safe='/=')}" if found else ""


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
