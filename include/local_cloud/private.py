"""What is the owner's alone: the folders that hold state, and the environment that a process starts with."""

from __future__ import annotations

import os
import stat
from pathlib import Path

UMASK = 0o077
# What a program needs to run at all: neither the cloud nor anything that it starts sees more of its host.
_INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)


def inherited() -> dict[str, str]:
    """The part of this process's environment that its children may have."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def close_to_others(folder: Path) -> None:
    """Take every right on a folder and all in it from everybody but its owner; one that is closed is left as it is.

    Raises:
        OSError: it is not there, or belongs to somebody else.
    """
    if not _others_rights(folder):
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*folders, *files):
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o700)
    folder.chmod(0o700)


def _others_rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) & UMASK
