"""A reader of CIFAR's pickles that can call and import nothing: it knows the few opcodes and names that they use.

Names stand for themselves, and an array is made here, over its own bytes, when they are as many as its shape says.
Lists hold strings and numbers, the dict holds those, lists and arrays, so that nothing read can be deep or endless.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from enum import Enum
from typing import Any, NoReturn

import numpy as np

from include.scones.cifar.errors import ArchiveError, UnsafePickleError

MOST_OPCODES = 1 << 20  # five times as many as the published archive's largest member has
LONGEST_NAME = 100  # bytes
OPCODES = {opcode.code: opcode.name for opcode in pickletools.opcodes}
PLAIN = (bytes, int, str, bool, type(None))


class Symbol(Enum):
    """What the steps to an array leave on the stack: three names, the type of its items, and the array before them."""

    RECONSTRUCT = "_reconstruct"
    NDARRAY = "ndarray"
    DTYPE = "dtype"
    UINT8 = "uint8"
    UNFILLED = "unfilled"


NAMES = {
    b"numpy.core.multiarray\n_reconstruct": Symbol.RECONSTRUCT,
    b"numpy._core.multiarray\n_reconstruct": Symbol.RECONSTRUCT,
    b"numpy\nndarray": Symbol.NDARRAY,
    b"numpy\ndtype": Symbol.DTYPE,
}


def loads(data: bytes) -> dict[bytes, Any]:
    """Read one pickled dict; its Python 2 strings come back as bytes.

    Raises:
        UnsafePickleError: it asks for anything but a dict of strings, numbers, lists of them and uint8 arrays.
        ArchiveError: it is damaged.
    """
    return _Reader(data).read()


class _Reader:
    """A pickle's stack and memo. A mark puts the stack aside and begins another."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.start = self.next = 0  # of the opcode at work, and of what is not read yet
        self.stack: list[Any] = []
        self.aside: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def read(self) -> dict[bytes, Any]:
        for _ in range(MOST_OPCODES):
            self.start = self.next
            if self.start >= len(self.data):
                raise ArchiveError(f"the pickle cannot be read: it is cut short after {len(self.data)} bytes")
            code = self.take(1)
            if code == b".":
                return self.end()
            if code not in OPERATIONS:
                self.refuse("CIFAR-100's pickles have none")
            OPERATIONS[code](self)
        raise ArchiveError(f"the pickle has more than {MOST_OPCODES} opcodes: CIFAR-100's have fewer")

    def end(self) -> dict[bytes, Any]:
        found = self.pop()
        if not isinstance(found, dict) or self.stack or self.aside:
            self.refuse("the pickle must hold one dict")
        return found

    @property
    def place(self) -> str:
        code = chr(self.data[self.start])
        return f"{OPCODES.get(code, ascii(code))} at byte {self.start}"

    def refuse(self, why: str) -> NoReturn:
        raise UnsafePickleError(f"the pickle is refused at its opcode {self.place}: {why}")

    def damaged(self, how: str) -> NoReturn:
        raise ArchiveError(f"the pickle cannot be read at its opcode {self.place}: {how}")

    def take(self, size: int) -> bytes:
        end = self.next + size
        if end > len(self.data):
            self.damaged(f"{size} bytes are to follow, and {len(self.data) - self.next} are left")
        taken = self.data[self.next : end]
        self.next = end
        return taken

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def pop(self) -> Any:
        if not self.stack:
            self.damaged("nothing is on the stack")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        if not self.aside:
            self.damaged("there is no mark")
        found, self.stack = self.stack, self.aside.pop()
        return found

    def protocol(self) -> None:
        version = self.number(1)
        if version not in (2, 3):
            self.refuse(f"protocol {version}, and CIFAR-100's pickles have 2 or 3")

    def mark(self) -> None:
        self.aside.append(self.stack)
        self.stack = []

    def put(self, index: int) -> None:
        value = self.pop()
        self.memo[index] = value
        self.stack.append(value)

    def get(self, index: int) -> None:
        if index not in self.memo:
            self.damaged(f"nothing was kept as {index}")
        value = self.memo[index]
        if not isinstance(value, (*PLAIN, Symbol)):
            self.refuse("only strings, numbers and names may be used again")
        self.stack.append(value)

    def text(self) -> None:
        size = self.number(4)
        if size > LONGEST_NAME:
            self.refuse(f"a text of {size} bytes, and at most {LONGEST_NAME} are read")
        try:
            self.stack.append(self.take(size).decode())
        except UnicodeDecodeError as error:
            self.damaged(str(error))

    def name(self) -> None:
        words = self.data[self.next : self.next + LONGEST_NAME].split(b"\n")[:2]
        name = b"\n".join(words)
        if name not in NAMES:
            shown = ".".join(ascii(word.decode("latin-1"))[1:-1] for word in words)
            self.refuse(f"it asks for {shown}: only numpy arrays are read")
        self.next += len(name) + 1
        self.stack.append(NAMES[name])

    def group(self, items: list[Any]) -> None:
        """A tuple: an array's shape, or what makes an array."""
        for item in items:
            shape = isinstance(item, tuple) and all(type(size) is int for size in item)
            if not shape and not isinstance(item, (*PLAIN, Symbol)):
                self.refuse("only a shape, strings, numbers and names may be in a tuple")
        self.stack.append(tuple(items))

    def extend(self, items: list[Any]) -> None:
        target = self.pop()
        if not isinstance(target, list):
            self.damaged("there is no list to add to")
        if not all(isinstance(item, PLAIN) for item in items):
            self.refuse("only strings and numbers may be in a list")
        target.extend(items)
        self.stack.append(target)

    def update(self, items: list[Any]) -> None:
        target = self.pop()
        if not isinstance(target, dict) or len(items) % 2:
            self.damaged("there is no dict, or a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, bytes) or not isinstance(value, (*PLAIN, list, np.ndarray)):
                self.refuse("only strings, numbers, lists and arrays may be in the dict, by keys that are strings")
            target[key] = value
        self.stack.append(target)

    def reduce(self) -> None:
        arguments, name = self.pop(), self.pop()
        match name, arguments:
            case Symbol.RECONSTRUCT, (Symbol.NDARRAY, (0,), b"b" | "b"):
                self.stack.append(Symbol.UNFILLED)
            case Symbol.DTYPE, (b"u1" | "u1", 0 | 1, 0 | 1):
                self.stack.append(Symbol.UINT8)
            case Symbol.DTYPE, (bytes() | str() as kind, *_):
                self.refuse(f"the type {kind[:LONGEST_NAME]!r}: only uint8 arrays are read")
            case _:
                self.refuse("it calls something: only empty numpy arrays, to be filled, and their type may be made")

    def build(self) -> None:
        state, target = self.pop(), self.pop()
        match target, state:
            case Symbol.UINT8, (3, b"|" | "|", None, None, None, -1, -1, 0):
                self.stack.append(Symbol.UINT8)
            case Symbol.UNFILLED, (1, (rows, width), Symbol.UINT8, 0, bytes() as body):
                if min(rows, width) < 0 or rows * width != len(body):
                    self.damaged(f"{len(body)} bytes for an array of {rows} rows of {width}")
                self.stack.append(np.ndarray((rows, width), np.uint8, body))
            case _:
                self.refuse("only a uint8 array of two dimensions may be filled")


OPERATIONS: dict[bytes, Callable[[_Reader], None]] = {
    b"\x80": _Reader.protocol,
    b"(": _Reader.mark,
    b"q": lambda reader: reader.put(reader.number(1)),
    b"r": lambda reader: reader.put(reader.number(4)),
    b"h": lambda reader: reader.get(reader.number(1)),
    b"j": lambda reader: reader.get(reader.number(4)),
    b"N": lambda reader: reader.stack.append(None),
    b"\x88": lambda reader: reader.stack.append(True),
    b"\x89": lambda reader: reader.stack.append(False),
    b"K": lambda reader: reader.stack.append(reader.number(1)),
    b"M": lambda reader: reader.stack.append(reader.number(2)),
    b"J": lambda reader: reader.stack.append(reader.number(4, signed=True)),
    b"U": lambda reader: reader.stack.append(reader.take(reader.number(1))),
    b"T": lambda reader: reader.stack.append(reader.take(reader.number(4))),
    b"C": lambda reader: reader.stack.append(reader.take(reader.number(1))),
    b"B": lambda reader: reader.stack.append(reader.take(reader.number(4))),
    b"X": _Reader.text,
    b"c": _Reader.name,
    b"\x85": lambda reader: reader.group([reader.pop()]),
    b"\x86": lambda reader: reader.group([reader.pop(), reader.pop()][::-1]),
    b"\x87": lambda reader: reader.group([reader.pop(), reader.pop(), reader.pop()][::-1]),
    b"t": lambda reader: reader.group(reader.pop_to_mark()),
    b"]": lambda reader: reader.stack.append([]),
    b"a": lambda reader: reader.extend([reader.pop()]),
    b"e": lambda reader: reader.extend(reader.pop_to_mark()),
    b"}": lambda reader: reader.stack.append({}),
    b"s": lambda reader: reader.update([reader.pop(), reader.pop()][::-1]),
    b"u": lambda reader: reader.update(reader.pop_to_mark()),
    b"R": _Reader.reduce,
    b"b": _Reader.build,
}
