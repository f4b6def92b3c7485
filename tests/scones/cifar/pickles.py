"""Pickles in the layout of the original CIFAR-100 files, as Python 2 wrote them."""

from __future__ import annotations


def python2_split(rows: int, width: int = 3072) -> bytes:
    """A split of `rows` black images of `width` bytes: protocol 2, byte strings, and numpy's names before numpy 2."""
    names = [_string(b"picture_s_%06d.png" % row) + b"r" + (300 + row).to_bytes(4, "little") for row in range(rows)]
    return b"".join(
        [
            b"\x80\x02}q\x01(",
            _string(b"filenames"),
            b"]q\x02(" + b"".join(names),
            b"e" + _string(b"batch_label") + _string(b"training batch 1 of 1"),
            _string(b"fine_labels") + b"]q\x03(" + b"".join(b"K" + bytes([row % 100]) for row in range(rows)) + b"e",
            _string(b"data") + b"cnumpy.core.multiarray\n_reconstruct\nq\x04cnumpy\nndarray\nq\x05K\x00\x85U\x01b\x87R",
            b"q\x06(K\x01J" + rows.to_bytes(4, "little") + b"M" + width.to_bytes(2, "little") + b"\x86",
            b"cnumpy\ndtype\nq\x07U\x02u1K\x00K\x01\x87Rq\x08(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            b"T" + (width * rows).to_bytes(4, "little") + bytes(width * rows) + b"tbu.",
        ]
    )


def _string(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text
