"""The way to the sign-in where Airflow itself is served below a path."""

from __future__ import annotations

import httpx
import pytest
from fastapi import Depends, FastAPI

from tests.waiting import awaited


@pytest.mark.system  # Airflow, imported, starts `file`
@pytest.mark.filterwarnings("ignore:Using .httpx. with")  # Airflow's own imports
@pytest.mark.parametrize("root", ["", "/air/flow"])
def test_the_sign_in_is_airflow_s_and_leads_back(root: str) -> None:
    from include.pages.guard import sign_in_first

    page, airflow = FastAPI(), FastAPI(root_path=root)
    page.get("/{name:path}", dependencies=[Depends(sign_in_first)])(lambda name: name)
    airflow.mount("/reports", page)

    async def visit() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(airflow), base_url="http://a") as client:
            return await client.get(f"{root}/reports/ds=1/index.html")

    answer = awaited(visit())
    back = f"{root}/reports/ds=1/index.html".replace("/", "%2F").replace("=", "%3D")
    assert (answer.status_code, answer.headers["location"]) == (307, f"{root}/api/v2/auth/login?next={back}")
