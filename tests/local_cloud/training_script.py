"""A training container that does what its hyperparameter `do` says, to see how the cloud takes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])


def fail(reason: str) -> None:
    (BASE / "output" / "failure").write_text(reason)
    sys.exit(3)


def main(do: str) -> None:
    sys.stdout.write("score=0.25;\nscore=0.75;\nscore=not a number;\n")
    sys.stdout.flush()
    if do == "fail with a reason":
        fail("the data are wrong " * 100)
    if do == "fail without one":
        sys.exit(4)
    if do == "leave a process behind":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    if do == "ignore the stop":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if do in ("ignore the stop", "wait"):
        time.sleep(600)
    seen = {path.stem: json.loads(path.read_text()) for path in (BASE / "input" / "config").iterdir()}
    seen["files"] = sorted(
        str(path.relative_to(BASE)) for path in (BASE / "input" / "data").rglob("*") if path.is_file()
    )
    seen["environment"] = dict(os.environ)
    (BASE / "model" / "seen.json").write_text(json.dumps(seen))
    (BASE / "output" / "data" / "notes.txt").write_text("notes")


if __name__ == "__main__":
    main(json.loads((BASE / "input" / "config" / "hyperparameters.json").read_text())["do"])
