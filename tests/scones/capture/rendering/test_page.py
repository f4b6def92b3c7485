"""The pages: what a hostile capture may not do to them, what they show, and when they are written."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image

from include.scones.capture import report
from include.scones.capture.places import Places
from include.scones.capture.publishing.index import write_index
from include.scones.capture.stores.folder import FolderStore
from tests.scones.capture.conftest import ENDPOINT, REAL_ENDPOINT, Captures, day, png, record

DAY = day("2024-10-16")


class Tags(HTMLParser):
    """Which elements and attributes a page has, and where it links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in {"src", "srcset", "href"}]


HOSTILE = "\"'><script>alert(1)</script><img src=//evil.example onerror=alert(1)>{{ 7 * 7 }}"


def test_html_in_every_text_field_stays_text(captures: Captures) -> None:
    hostile = record("2024-10-16T05:00:01Z", HOSTILE, eventId=HOSTILE, inferenceId=HOSTILE)
    for side in hostile["captureData"].values():
        side.update(observedContentType=HOSTILE, mode=HOSTILE)
    encoded = record("2024-10-16T05:00:02Z")
    encoded["captureData"]["endpointInput"].update(encoding=HOSTILE, data=HOSTILE)
    timeless = record(HOSTILE)
    pictured = record("2024-10-16T05:00:03Z", image=HOSTILE.encode())
    captures.write("2024/10/16/05", [hostile, encoded, timeless, pictured, HOSTILE.encode()])
    captures.write("2024/10/16/05", [b"{"], variant="<b>variant<b>", name="<i>name")
    summary = captures.report(DAY)
    assert summary["malformed"] == 6
    page = captures.page(DAY)
    tags = Tags(page)
    assert not tags.elements & {"script", "i", "iframe", "link"}
    assert not {name for name in tags.attributes if name.startswith("on")}
    assert "<script" not in page and "&lt;script&gt;" in page and "{{ 7 * 7 }}" in page
    beside = r"(records\.parquet|summary\.json|[a-z]+\.png|\.\./index\.html)$"
    assert all(re.match(f"data:image/png;base64,|{beside}", address) for address in tags.addresses)


def test_html_in_names_of_classes_data_and_objects_stays_text(captures: Captures) -> None:
    captures.write("2024/10/16/05", [record("2024-10-16T05:00:01Z"), b"{"], variant="$\\frac<b>", name="<img src=x>")
    dataset = {"source": HOSTILE, "provenance": HOSTILE, "classes": [HOSTILE, "$\\frac{"], "train": 1, "test": 1}
    summary = report.report_on(captures.store, Places(ENDPOINT), DAY, 0.93, dataset=dataset)
    assert summary["classes"][0]["name"] == HOSTILE
    index = (captures.root / "reports/capture/index.html").read_text()
    for page in (captures.page(DAY), index):
        tags = Tags(page)
        assert not tags.elements & {"script", "i", "iframe", "link"}
        assert not {name for name in tags.attributes if name.startswith("on")}
        assert "<script" not in page
    assert captures.page(DAY).count("&lt;script&gt;") >= 3


def test_the_page_stands_alone_and_allows_nothing_else(real: Captures) -> None:
    real.report(DAY, REAL_ENDPOINT)
    page = real.page(DAY)
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in page
    assert "http://" not in page and "https://" not in page and "@import" not in page and " style=" not in page
    pictures = [base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([^\"]+)", page)]
    assert len(pictures) == 3 * 2 + 20
    for picture in pictures:
        Image.open(io.BytesIO(picture)).verify()


def test_the_page_follows_the_reader_or_the_page_around_it(real: Captures) -> None:
    real.report(DAY, REAL_ENDPOINT)
    for page in (real.page(DAY), (real.root / "reports/capture/index.html").read_text()):
        assert ":root { color-scheme: light dark;" in page
        for theme in ("light", "dark"):
            assert f':root[data-theme="{theme}"] {{ color-scheme: {theme}; }}' in page
        assert page.count('<img class="in-light"') == page.count('<img class="in-dark"') > 0


def test_the_least_confident_images_are_shown_least_confident_first(captures: Captures) -> None:
    answers = [0.9, 0.55, 0.7]
    lines = [record(f"2024-10-16T05:00:0{n}Z", f"[{p}, {1 - p}]", png(n)) for n, p in enumerate(answers)]
    captures.write("2024/10/16/05", [*lines, record("2024-10-16T07:00:00Z", "[0.55, 0.45]", png(1))])
    captures.report(DAY)
    shown = re.findall(r"<b>(0\.\d+)</b> (\w+)<br><span class=\"soft\">([^<]*)", captures.page(DAY))
    assert shown == [
        ("0.550", "bicycle", "2024-10-16 05:00:01, 2 times"),
        ("0.700", "bicycle", "2024-10-16 05:00:02"),
        ("0.900", "bicycle", "2024-10-16 05:00:00"),
    ]


def test_a_decompression_bomb_is_refused_unread(captures: Captures) -> None:
    bombs = []
    for size in (20_000, 5_000):
        file = io.BytesIO()
        Image.new("1", (size, size)).save(file, "PNG", optimize=True)
        bombs.append(record("2024-10-16T05:00:01Z", image=file.getvalue()))
    captures.write("2024/10/16/05", [*bombs, record("2024-10-16T05:00:02Z")])
    summary = captures.report(DAY)
    assert summary["problems"]["counts"] == {"undecodable-image": 2}
    assert summary["inputs"]["pixel_sizes"] == {"32x32": 1}
    assert "5000x5000 pixels" in captures.page(DAY)


class Recorder(FolderStore):
    """A folder that remembers the order of writes."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.written: list[str] = []

    def write(self, key: str, body: bytes | Path, content_type: str) -> None:
        super().write(key, body, content_type)
        self.written.append(key.rpartition("capture/")[2])


def test_a_page_is_written_after_all_it_links_to(real: Captures) -> None:
    real.store = Recorder(real.root)
    real.report(DAY, REAL_ENDPOINT)
    *data, page, index = real.store.written
    assert (page, index) == (f"{DAY.name}/index.html", "index.html")
    assert f"{DAY.name}/records.parquet" in data and f"{DAY.name}/summary.json" in data


def test_the_index_links_all_days(real: Captures) -> None:
    for date in ("2024-10-15", "2024-10-16"):
        real.report(day(date), REAL_ENDPOINT)
    page = (real.root / "reports/capture/index.html").read_text()
    links = [address for address in Tags(page).addresses if not address.startswith("data:")]
    assert links == ["ds=2024-10-16/index.html", "ds=2024-10-15/index.html"]


def test_an_index_that_missed_a_day_is_written_again(real: Captures) -> None:
    """Another report finishes while the index is being written."""
    real.report(day("2024-10-15"), REAL_ENDPOINT)
    summary = real.root / "reports/capture/ds=2024-10-15/summary.json"
    late = real.root / "reports/capture/ds=2024-10-14/summary.json"

    class Interrupted(FolderStore):
        def write(self, key: str, body: bytes | Path, content_type: str) -> None:
            super().write(key, body, content_type)
            if not late.exists():
                late.parent.mkdir()
                late.write_text(summary.read_text().replace("2024-10-15", "2024-10-14"))

    write_index(Interrupted(real.root), "reports/capture")
    assert "ds=2024-10-14/index.html" in (real.root / "reports/capture/index.html").read_text()
