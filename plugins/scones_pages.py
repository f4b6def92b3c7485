"""The project's pages in Airflow's navigation bar. Every Airflow process loads this file: what it needs comes later."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin, get_import_errors

log = logging.getLogger(__name__)


def view(name: str, route: str) -> dict[str, Any]:
    """The page's entry in the navigation bar; its path is under the one that Airflow itself is served at."""
    root = urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/")
    return {
        "name": name,
        "href": f"{root}/{route}/",
        "destination": "nav",
        "url_route": route,
        "nav_top_level": True,
    }


class SconesPagesPlugin(AirflowPlugin):
    """Mounts the pages and shows them in the navigation bar."""

    name = "scones_pages"
    external_views = [view("Threshold", "threshold-tuner"), view("Reports", "reports")]  # noqa: RUF012

    # Airflow asks for these in its API server alone, when that starts: no other process pays for the imports.
    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # a list to whoever reads it
        try:
            from include.pages import reports, tuner

            return [
                {"name": "threshold-tuner", "app": tuner.make_app(), "url_prefix": "/threshold-tuner"},
                {"name": "reports", "app": reports.make_app(), "url_prefix": "/reports"},
            ]
        except Exception as error:
            log.exception("The pages of the project cannot be loaded")
            get_import_errors()[str(getattr(self, "source", self.name))] = f"{type(error).__name__}: {error}"
            self.external_views = []
            return []
