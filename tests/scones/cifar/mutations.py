"""Reads damaged pickles by the thousand: `mutations.py COUNT FILE...`, a program of its own, so that a crash is seen.

Each must end in a value or an ArchiveError. What was seen goes to standard output as JSON.
"""

from __future__ import annotations

import json
import pickletools
import random
import resource
import sys
from pathlib import Path

from include.scones.cifar import unpickle
from include.scones.cifar.errors import ArchiveError

OPCODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]


def mutated(rng: random.Random, whole: bytes) -> bytes:
    """`whole` with one to four bytes or pieces of it flipped, inserted, removed, cut off, moved or made opcodes."""
    data = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        at, other = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        kind = rng.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at] = rng.randbytes(rng.randint(1, 8))
        elif kind == 2:
            del data[at : at + rng.randint(1, 8)]
        elif kind == 3 and rng.random() < 0.2:
            del data[at:]
        elif kind == 4:
            data[at:at] = data[other : other + rng.randint(1, 64)]
        elif kind == 5:
            data[at : at + 1] = rng.choice(OPCODES)
        elif kind == 6:
            data[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80"))
    return bytes(data)


def main(count: int, files: list[Path]) -> None:
    rng = random.Random(0)  # noqa: S311 - damage, not secrets
    wholes = [file.read_bytes() for file in files]
    values = 0
    modules = set(sys.modules)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for n in range(count):
        try:
            unpickle.loads(mutated(rng, wholes[n % len(wholes)]))
            values += 1
        except ArchiveError:
            pass
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    seen = {"values": values, "errors": count - values, "grown_mb": grown >> 10}
    json.dump(seen | {"imported": sorted(set(sys.modules) - modules)}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
