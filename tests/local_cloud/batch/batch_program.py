"""What the tests of Batch run as a container: its argument says what it does."""

from __future__ import annotations

import os
import subprocess
import sys
import time

what, *rest = sys.argv[1:]
index = os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "-")
attempt = os.environ["AWS_BATCH_JOB_ATTEMPT"]
sys.stdout.write(f"{what} index={index} attempt={attempt} id={os.environ['AWS_BATCH_JOB_ID']} {rest}\n")
sys.stdout.write(f"greeting={os.environ.get('GREETING')} region={os.environ['AWS_REGION']}\n")
sys.stdout.flush()
if what == "sleep":
    time.sleep(float(rest[0]))
if what == "family":
    stubborn = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(float(sys.argv[1]))"
    child = subprocess.Popen([sys.executable, "-c", stubborn, rest[0]])
    sys.stdout.write(f"family: {os.getpid()} {child.pid}\n")
    sys.stdout.flush()
    child.wait()
if what == "fail" and (not rest or index in rest):
    sys.exit(7)
if what == "fail-at-first" and attempt == "1":
    sys.exit(3)
