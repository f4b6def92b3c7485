"""How fast a day of captures becomes a report: `python -m benchmarks.capture_report FOLDER [--only NAME ...]`.

FOLDER is what `generate_captures.py` wrote. Each way runs in a process of its own, over the same files: `floor` reads
the bytes and parses every line with orjson, `floor2` does so on two cores; `notebook` is the way of the published
notebooks (`jsonlines`, on the standard json module as in their kernels, into a list of dictionaries, then a loop that
takes confidence and time out of it); `pandas` is `read_json(lines=True)` of every file; `report` is the whole report,
from listing the files to the last page. The ways take turns, `--rounds` times, each after the files were read once, so
that all find them in memory. For each the median of its rounds: wall seconds, processor seconds of the process and its
children, and how many times its wall seconds the report takes. The most memory that they held together comes from one
more run, because looking at it slows down a process that holds much.
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
from statistics import median

import orjson
import psutil

from benchmarks.generate_captures import DAY, ENDPOINT
from include.scones.capture.places import CAPTURES

WAYS = ("floor", "floor2", "notebook", "pandas", "report")


def files(folder: Path) -> list[Path]:
    return sorted((folder / CAPTURES).rglob("*.jsonl"))


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
    import jsonlines

    documents = []
    for path in files(folder):
        with jsonlines.open(path, loads=json.loads) as reader:
            documents += list(reader)
    found = []
    for document in documents:
        answer = json.loads(document["captureData"]["endpointOutput"]["data"])
        found.append((max(answer), document["eventMetadata"]["inferenceTime"]))
    return len(found)


def pandas(folder: Path) -> int:
    import pandas as pd

    frame = pd.concat([pd.read_json(path, lines=True) for path in files(folder)])
    answers = [max(json.loads(capture["endpointOutput"]["data"])) for capture in frame["captureData"]]
    times = pd.to_datetime([event["inferenceTime"] for event in frame["eventMetadata"]])
    return len(pd.DataFrame({"confidence": answers, "time": times}))


def report(folder: Path) -> int:
    from include.scones.capture.places import Places
    from include.scones.capture.report import report_on
    from include.scones.capture.stores.folder import FolderStore
    from include.scones.capture.window import DAY as A_DAY
    from include.scones.capture.window import Window

    shutil.rmtree(folder / "reports", ignore_errors=True)
    summary = report_on(FolderStore(folder), Places(ENDPOINT), Window(DAY, DAY + A_DAY), 0.93)
    return int(summary["records"])


def measure(way: str, folder: Path) -> dict[str, float]:
    """Run one way in a process of its own."""
    for path in files(folder):
        path.read_bytes()
    started = time.perf_counter()
    output, _ = start(way, folder).communicate()
    wall = time.perf_counter() - started
    if not output:
        raise SystemExit(f"{way} failed: its error output above says why")
    records, cpu = output.split()
    return {"records": int(records), "wall": wall, "cpu": float(cpu)}


def megabytes(way: str, folder: Path) -> float:
    """The most memory that one way takes in a process of its own."""
    process = start(way, folder)
    peak = _Peak(process.pid)
    process.communicate()
    peak.stop()
    return peak.bytes / 1e6


def start(way: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.capture_report", str(folder), "--run", way]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


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
    parser.add_argument("--rounds", type=int, default=1, help="how often each way is measured")
    parser.add_argument("--run", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        records = globals()[given.run](given.folder)
        used = time.process_time() + sum(psutil.Process().cpu_times()[2:4])
        print(records, used)
        return
    size = sum(path.stat().st_size for path in files(given.folder))
    print(f"{len(files(given.folder)):,} files, {size / 1e9:.2f} GB")
    measured: dict[str, list[dict[str, float]]] = {way: [] for way in given.only}
    for number in range(given.rounds):
        for way in given.only:
            found = measure(way, given.folder)
            measured[way].append(found)
            print(f"round {number + 1}: {way} {found['wall']:.1f} s", file=sys.stderr, flush=True)
    print(f"{'way':10} {'records':>10} {'wall s':>8} {'cpu s':>8} {'MB':>7} {'us/record':>10} {'report':>8}")
    for way, rounds in measured.items():
        records, wall, cpu = (median(one[name] for one in rounds) for name in rounds[0])
        ratio = f"{median(one['wall'] for one in measured['report']) / wall:8.2f}" if "report" in measured else ""
        held = megabytes(way, given.folder)
        print(f"{way:10} {records:10,.0f} {wall:8.1f} {cpu:8.1f} {held:7.0f} {1e6 * wall / records:10.1f} {ratio}")


if __name__ == "__main__":
    main()
