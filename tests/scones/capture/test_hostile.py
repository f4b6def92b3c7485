"""A whole report on hostile captures among good ones, in a process whose memory is measured."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.scones.capture.conftest import ENDPOINT, Captures, day, png, record

DAY = day("2024-10-16")
SCRIPT = "<script>alert(1)</script>"
MEASURED = """
import resource, sys
from pathlib import Path
from include.scones.capture import __main__ as command
status = command.main(sys.argv[1:])
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(max(int(peak.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) << 10)
sys.exit(status)
"""


def peak_memory(captures: Captures) -> int:
    """Bytes that a process of its own, or one of its readers, had at most while it wrote the day's report."""
    arguments = ["--date", "2024-10-16", "--folder", str(captures.root), "--endpoint", ENDPOINT]
    command = [sys.executable, "-c", MEASURED, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def test_a_jpeg_of_thousands_of_passes_is_not_decoded(captures: Captures) -> None:
    file = io.BytesIO()
    Image.new("RGB", (1024, 1024)).save(file, "JPEG", progressive=True)
    image = file.getvalue()
    last = image[image.rindex(b"\xff\xda") : -2]
    captures.write(
        "2024/10/16/06",
        [record("2024-10-16T06:00:01Z", image=image[:-2] + n * last + image[-2:]) for n in (0, 50, 50_000)],
    )
    summary = captures.report(DAY)
    assert summary["inputs"]["pixel_sizes"] == {"1024x1024": 2}
    assert summary["problems"]["counts"] == {"undecodable-image": 1}
    assert "more than the 100 scans decoded here" in captures.page(DAY)


@pytest.mark.system
def test_a_hostile_capture_takes_little_memory(captures: Captures) -> None:
    good = [record(f"2024-10-16T05:00:{n:02}Z", image=png(n)) for n in range(20)]
    captures.write("2024/10/16/05", good)
    usual = peak_memory(captures)

    bomb = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG", optimize=True)
    hostile = [
        record("2024-10-16T06:00:01Z", image=bomb.getvalue()),
        b'{"captureData": "' + b"A" * 100_000_000 + b'"}',
        record("2024-10-16T06:00:03Z", SCRIPT, eventId=SCRIPT),
    ]
    captures.write("2024/10/16/06", [*hostile, record("2024-10-16T06:00:04Z")])
    del hostile
    assert peak_memory(captures) < usual + 100_000_000
    summary = json.loads((captures.root / "reports/capture" / DAY.name / "summary.json").read_text())
    assert (summary["records"], summary["predictions"]) == (23, 22)
    assert summary["problems"]["counts"] == {"line-too-long": 1, "undecodable-image": 1, "answer": 1}
    assert "<script" not in captures.page(DAY)
