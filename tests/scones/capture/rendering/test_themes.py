"""The pages in a real browser: light or dark as the reader has it, or as the page around them says; pictures too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.scones.capture.conftest import Captures, day, record

CHROMIUM = Path("/usr/bin/chromium")
LIGHT, DARK = "rgb(246, 248, 250)", "rgb(13, 17, 23)"
CASES = [("light", None), ("dark", None), ("light", "dark"), ("dark", "light")]
Look = tuple[str, list[str]]


@pytest.fixture
def pages(captures: Captures) -> list[Path]:
    captures.write("2024/10/16/05", [record("2024-10-16T05:00:01Z")])
    captures.report(day("2024-10-16"))
    home = captures.root / "reports/capture"
    return [home / "ds=2024-10-16/index.html", home / "index.html"]


def look(page: Page, file: Path, scheme: str, theme: str | None) -> Look:
    """The background, and which pictures of figures can be seen."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(file.as_uri())
    if theme:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    shown = page.locator("figure img:visible").evaluate_all("images => images.map(image => image.className)")
    return page.evaluate("getComputedStyle(document.body).backgroundColor"), sorted(set(shown))


def looks(files: list[Path]) -> list[Look]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        found = [look(page, file, *case) for file in files for case in CASES]
        browser.close()
    return found


@pytest.mark.system
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: install Debian's package chromium")
def test_the_page_and_its_pictures_follow_the_reader_or_the_page_around(pages: list[Path]) -> None:
    with ThreadPoolExecutor() as pool:  # a browser of another test may have an event loop in this thread
        found = pool.submit(looks, pages).result()
    seen = [(LIGHT, ["in-light"]), (DARK, ["in-dark"]), (DARK, ["in-dark"]), (LIGHT, ["in-light"])]
    assert found == seen * 2
