"""How fast a day of captures becomes a report: `python benchmarks/capture_report.py FOLDER [--only NAME]`.

FOLDER is what `generate_captures.py` wrote. Each way runs in a process of its own, over the same files: `floor` reads
the bytes and parses every line with orjson, `floor2` does so on two cores; `notebook` is the way of the published
notebooks (each line through the standard json module into a list of dictionaries, then a loop that takes confidence and
time out of it); `pandas` is `read_json(lines=True)` of every file; `report` is the whole report, from listing the files
to the last page. For each: wall seconds, processor seconds of the process and its children, and the most memory they
held together.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import psutil

from benchmarks.generate_captures import DAY, ENDPOINT

WAYS = ("floor", "floor2", "notebook", "pandas", "report")


def files(folder: Path) -> list[Path]:
    return sorted((folder / "data_capture").rglob("*.jsonl"))


def parse(paths: list[Path]) -> int:
    count = 0
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                orjson.loads(line)
                count += 1
    return count


def floor(folder: Path) -> int:
    return parse(files(folder))


def floor2(folder: Path) -> int:
    paths = files(folder)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return sum(pool.map(parse, [paths[: len(paths) // 2], paths[len(paths) // 2 :]]))


def notebook(folder: Path) -> int:
    """As `jsonlines` reads: text lines, one `json.loads` each, all kept."""
    documents = []
    for path in files(folder):
        with path.open() as file:
            documents += [json.loads(line) for line in file]
    found = []
    for document in documents:
        answer = json.loads(document["captureData"]["endpointOutput"]["data"])
        found.append((max(answer), document["eventMetadata"]["inferenceTime"]))
    return len(found)


def pandas(folder: Path) -> int:
    import pandas as pd  # type: ignore[import-untyped]

    frame = pd.concat([pd.read_json(path, lines=True) for path in files(folder)])
    answers = [max(json.loads(capture["endpointOutput"]["data"])) for capture in frame["captureData"]]
    times = pd.to_datetime([event["inferenceTime"] for event in frame["eventMetadata"]])
    return len(pd.DataFrame({"confidence": answers, "time": times}))


def report(folder: Path) -> int:
    from include.scones.capture.report import Places, report_on
    from include.scones.capture.stores import FolderStore
    from include.scones.capture.window import DAY as A_DAY
    from include.scones.capture.window import Window

    shutil.rmtree(folder / "reports", ignore_errors=True)
    summary = report_on(FolderStore(folder), Places(ENDPOINT), Window(DAY, DAY + A_DAY), 0.93)
    return int(summary["records"])


def measure(way: str, folder: Path) -> dict[str, Any]:
    """Run one way in a process of its own and watch it."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.capture_report", str(folder), "--run", way],
        stdout=subprocess.PIPE,
        text=True,
    )
    peak = _Peak(process.pid)
    output, _ = process.communicate()
    wall = time.perf_counter() - started
    peak.stop()
    if process.returncode:
        raise SystemExit(f"{way} failed with {process.returncode}")
    records, cpu = output.split()
    return {"way": way, "records": int(records), "wall": wall, "cpu": float(cpu), "megabytes": peak.bytes / 1e6}


class _Peak(threading.Thread):
    """The most unshared memory of a process and its children, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ended.wait(0.1):
            held = 0
            try:
                for process in (self._root, *self._root.children(recursive=True)):
                    held += process.memory_full_info().uss
            except psutil.Error:
                continue
            self.bytes = max(self.bytes, held)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", choices=WAYS, default=WAYS, help="the ways to measure")
    parser.add_argument("--repeat", type=int, default=1, help="the fastest of so many runs counts")
    parser.add_argument("--run", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        records = globals()[given.run](given.folder)
        used = time.process_time() + sum(psutil.Process().cpu_times()[2:4])
        print(records, used)
        return
    size = sum(path.stat().st_size for path in files(given.folder))
    print(f"{len(files(given.folder)):,} files, {size / 1e9:.2f} GB")
    print(f"{'way':10} {'records':>10} {'wall s':>8} {'cpu s':>8} {'MB':>7} {'us/record':>10}")
    for way in given.only:
        best = min((measure(way, given.folder) for _ in range(given.repeat)), key=lambda found: found["wall"])
        each = 1e6 * best["wall"] / best["records"]
        figures = f"{best['wall']:8.1f} {best['cpu']:8.1f} {best['megabytes']:7.0f} {each:10.1f}"
        print(f"{way:10} {best['records']:10,} {figures}", flush=True)


if __name__ == "__main__":
    main()
