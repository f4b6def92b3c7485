"""Reader processes: a large day is read by several, each a fresh interpreter with a share of the files.

They are started as programs rather than forked, because an Airflow task may be neither forked (it has threads) nor the
parent of multiprocessing's children (it may be a daemon). A job is a JSON file; its result goes to an Arrow file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import astuple
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from include.scones.capture.errors import ScanError
from include.scones.capture.reading.listing import CaptureFile
from include.scones.capture.reading.scan import Scan, Scanner, merge_scans
from include.scones.capture.reading.totals import ScanTotals
from include.scones.capture.stores.store import Store

PROCESSES = 2
# Bytes, and files, that it takes a process to read for one more to be worth its start.
WORTH_A_PROCESS = 256 << 20
FILES_WORTH_A_PROCESS = 8192
ROOT = Path(__file__).parents[4]
PROGRAM = "include.scones.capture.reading.reader_process"
# One thread each; and glibc keeps the memory of a block for the next one, where it would give it back in between.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}


def scan_files(store: Store, files: list[CaptureFile], window: tuple[int, int], processes: int = PROCESSES) -> Scan:
    """Read all files; in this process when there is little to read."""
    worth = sum(file.size for file in files) // WORTH_A_PROCESS + len(files) // FILES_WORTH_A_PROCESS
    shares = share_out(files, min(processes, 1 + worth))
    address = store.address()
    if len(shares) < 2 or address is None:
        return merge_scans([Scanner(window).read(store, files)])
    with tempfile.TemporaryDirectory() as folder:
        results = [Path(folder, f"{n}.arrow") for n in range(len(shares))]
        started = [
            _start({"address": address, "window": window, "files": list(map(astuple, files)), "result": str(result)})
            for files, result in zip(shares, results, strict=True)
        ]
        codes = [process.wait() for process in started]
        if any(codes):
            raise ScanError(f"the reader processes ended with {codes}: their error output above says why")
        return merge_scans([_load(result) for result in results])


def share_out(files: list[CaptureFile], count: int) -> list[list[CaptureFile]]:
    """Consecutive runs of files of about the same number of bytes; a file costs some even when it is empty."""
    costs = list(accumulate(file.size + 4096 for file in files))
    shares: list[list[CaptureFile]] = [[] for _ in range(count)]
    for file, cost in zip(files, costs, strict=True):
        shares[min(count - 1, cost * count // (costs[-1] + 1))].append(file)
    return [files for files in shares if files]


def _start(job: dict[str, Any]) -> subprocess.Popen[bytes]:
    from include.scones import session  # takes long to import, and a reader of a folder does without

    path = Path(job["result"]).with_suffix(".json")
    path.write_bytes(orjson.dumps(job))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = inherited | session.current().environment("s3", "sts") | ENVIRONMENT
    return subprocess.Popen([sys.executable, "-m", PROGRAM, str(path)], cwd=ROOT, env=environment)


def _load(path: Path) -> Scan:
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    totals = ScanTotals.from_json(orjson.loads(table.schema.metadata[b"totals"]))
    return Scan(table.replace_schema_metadata(), totals)


def save(scan: Scan, path: Path) -> None:
    table = scan.table.replace_schema_metadata({"totals": orjson.dumps(scan.totals.to_json())})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
