"""Airflow's API for whoever signs in, by FAB's auth manager."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.compose.stack import Stack


@contextmanager
def signed_in(stack: Stack, name: str, password: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        answer = client.post("/auth/token", json={"username": name, "password": password}).raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client
