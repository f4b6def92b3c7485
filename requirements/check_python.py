"""Refuses a Python or a system that the project does not run on, before anything is installed. Any Python 3 runs it."""

import platform
import sys

OLDEST, NEWEST = (3, 11, 2), (3, 13)


def main() -> int:
    reason = refusal()
    if reason:
        sys.stderr.write(reason + "\n")
    return int(bool(reason))


def refusal() -> str:
    running = sys.executable + " is Python " + platform.python_version()
    if sys.version_info[:3] < OLDEST or sys.version_info[:2] > NEWEST:
        return "Python 3.11 (from 3.11.2), 3.12 or 3.13 is needed, but " + running + ": set PYTHON=python3.11"
    if not sys.platform.startswith(("linux", "darwin")):
        return "Linux or macOS is needed, but this is " + sys.platform
    try:
        import ensurepip  # noqa: F401 - Debian has it in a package of its own
    except ImportError:
        return running + " without its module venv: install it (on Debian, python3-venv), or set PYTHON"
    return ""


if __name__ == "__main__":
    sys.exit(main())
