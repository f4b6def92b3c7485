"""A day's figures as CloudWatch metrics, for alarms to watch."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from include.scones.aws.clients import connect

log = logging.getLogger(__name__)

NAMESPACE = "Scones/Capture"

# CloudWatch refuses what is older than two weeks; an hour is kept in hand.
OLDEST = timedelta(days=14) - timedelta(hours=1)


def publish_metrics(summary: dict[str, Any], client: Any = None) -> int:
    """Put `Records`, `Malformed` and, where there were predictions, `LowConfidenceShare` (0 to 1) under EndpointName.

    They are of the last second of the report's window, so that a re-run adds to the same data point: watch their
    maximum or average. Days that are too old for CloudWatch are left out. Gives back how many were put.
    """
    moment = datetime.fromisoformat(summary["window"]["end"]) - timedelta(seconds=1)
    if moment < datetime.now(UTC) - OLDEST:
        log.info("no metrics for %s: CloudWatch takes none older than two weeks", summary["date"])
        return 0
    values = {"Records": (summary["records"], "Count"), "Malformed": (summary["malformed"], "Count")}
    if summary["low_confidence_share"] is not None:
        values["LowConfidenceShare"] = (summary["low_confidence_share"], "None")
    client = client or connect("cloudwatch")
    client.put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": "EndpointName", "Value": summary["endpoint"]}],
                "Timestamp": moment,
                "Value": float(value),
                "Unit": unit,
            }
            for name, (value, unit) in values.items()
        ],
    )
    return len(values)
