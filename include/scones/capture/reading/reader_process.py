"""One reader process: `python -m include.scones.capture.reading.reader_process JOB`.

`processes` starts it, and says what a job is.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import orjson

from include.scones.capture.reading.listing import CaptureFile
from include.scones.capture.reading.processes import save
from include.scones.capture.reading.scan import Scanner
from include.scones.capture.stores.opening import open_store


class WithoutPandas:
    """Finds no pandas: pyarrow imports it at its first array, and that takes longer than all other imports together."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def main(path: Path) -> None:
    sys.meta_path.insert(0, WithoutPandas)
    gc.disable()  # nothing here refers to itself, and looking for what does takes a tenth of the time
    job = orjson.loads(path.read_bytes())
    files = [CaptureFile(*fields) for fields in job["files"]]
    scan = Scanner(tuple(job["window"])).read(open_store(job["address"]), files)
    save(scan, Path(job["result"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
