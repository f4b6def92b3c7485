"""The threshold tuner in Airflow's navigation bar. Every Airflow process loads this file: what it needs comes later."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/threshold-tuner"


class LateApp:
    """The page's web application, imported when the API server gets the first request for it."""

    @cached_property
    def app(self) -> Any:
        from plugins.threshold_tuner_app.routes import make_app

        return make_app()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def href() -> str:
    """The page's path, under the one that Airflow itself is served at."""
    return urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/") + f"{PREFIX}/"


class ThresholdTunerPlugin(AirflowPlugin):
    """Mounts the page and shows it in the navigation bar."""

    name = "threshold_tuner"
    fastapi_apps = [{"name": "threshold-tuner", "app": LateApp(), "url_prefix": PREFIX}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Threshold",
            "href": href(),
            "destination": "nav",
            "url_route": "threshold-tuner",
            "nav_top_level": True,
        }
    ]
