"""The Amazon provider's operators, made safe to retry: each takes up what an earlier attempt left behind.

Whatever imports them runs under Airflow, so that its AWS is that of Airflow's connection.
"""

from __future__ import annotations

from include.operators.connection import use_connection

use_connection()
