"""Starts a container's program so that it cannot outlive the cloud: `child.py <cloud's id> <program> <arguments>`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, arguments: list[str]) -> None:
    if sys.platform == "linux":
        # The kernel keeps this through exec and kills the process when the thread that started it ends.
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        if os.getppid() != parent:  # it ended before the kernel was told
            return
    os.execvp(arguments[0], arguments)  # noqa: S606 - the arguments are those of a known container


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
