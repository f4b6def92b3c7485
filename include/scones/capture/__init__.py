"""What the endpoint captured: reading data-capture files and building the nightly report."""

from include.scones.capture.counting import count_records
from include.scones.capture.metrics import publish_metrics
from include.scones.capture.report import build_report

__all__ = ["build_report", "count_records", "publish_metrics"]
