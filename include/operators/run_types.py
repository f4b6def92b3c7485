"""Which ways to start a run the DAGs allow; docs/runs.md says why each refuses the others."""

from __future__ import annotations

from airflow.utils.types import DagRunType

BY_HAND = [DagRunType.MANUAL]
ON_REQUEST = [DagRunType.MANUAL, DagRunType.OPERATOR_TRIGGERED]
ON_DEMAND = [*ON_REQUEST, DagRunType.ASSET_MATERIALIZATION]
AFTER_AN_ASSET = [*ON_DEMAND, DagRunType.ASSET_TRIGGERED]
BY_DATE = [DagRunType.MANUAL, DagRunType.OPERATOR_TRIGGERED, DagRunType.SCHEDULED, DagRunType.BACKFILL_JOB]
