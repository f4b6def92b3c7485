"""The data set behind the model that was in service at the end of a report's window."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from include.scones.capture.stores.store import Store, read_json
from include.scones.s3_layout import CURRENT_DATASET, DEPLOYMENTS, last_deployment


def read_dataset(store: Store, end: datetime) -> dict[str, Any] | None:
    """Its description; the current data set's where no model was in service by then, and None where there is none."""
    key = last_deployment((item.key for item in store.objects(DEPLOYMENTS)), end)
    return (read_json(store, key or CURRENT_DATASET) or {}).get("dataset")
