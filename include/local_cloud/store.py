"""Where resources live: JSON documents by region, kind and name, in one SQLite file that survives a kill -9."""

from __future__ import annotations

import builtins
import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .errors import AlreadyExists, ApiError, Missing

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    region TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (region, kind, name)
) WITHOUT ROWID
"""


class Database:
    """One connection behind one lock: every call is a transaction of its own, from any thread."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self.connection.execute(_SCHEMA)

    def regions(self) -> list[str]:
        """The regions that have documents, by name."""
        with self.lock:
            return [row[0] for row in self.connection.execute("SELECT DISTINCT region FROM documents ORDER BY region")]

    def close(self) -> None:
        with self.lock:
            self.connection.close()


class Store:
    """The documents of one region. Safe to call from any thread; a call takes well under a millisecond."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    def create(self, kind: str, name: str, document: Mapping[str, Any]) -> None:
        """Raises `AlreadyExists`."""
        try:
            self._execute("INSERT INTO documents VALUES (?, ?, ?, ?)", kind, name, json.dumps(document))
        except sqlite3.IntegrityError as error:
            raise AlreadyExists(f"a {kind} named {name} exists already: choose another name") from error

    def get(self, kind: str, name: str) -> Document:
        """Raises `Missing`."""
        document = self.find(kind, name)
        if document is None:
            raise Missing(f"there is no {kind} named {name}")
        return document

    def find(self, kind: str, name: str) -> Document | None:
        with self._database.lock:
            row = self._database.connection.execute(
                "SELECT document FROM documents WHERE region = ? AND kind = ? AND name = ?", (self._region, kind, name)
            ).fetchone()
        return None if row is None else _load(row[0])

    def require(self, kind: str, name: str, refusal: ApiError) -> Document:
        """Raises `refusal` when there is no such document: a service's own words for a missing resource."""
        document = self.find(kind, name)
        if document is None:
            raise refusal
        return document

    def update(self, kind: str, name: str, changes: Mapping[str, Any]) -> Document:
        """Replace top-level members; a change to None removes the member. Raises `Missing`."""

        def merge(document: Document) -> Document:
            merged = {**document, **changes}
            return {key: value for key, value in merged.items() if value is not None}

        return self.modify(kind, name, merge)

    def modify(self, kind: str, name: str, change: Callable[[Document], Document]) -> Document:
        """Read, change and write back as one step that no other caller can come between. Raises `Missing`."""
        with self._database.lock:
            document = change(self.get(kind, name))
            self._database.connection.execute(
                "UPDATE documents SET document = ? WHERE region = ? AND kind = ? AND name = ?",
                (json.dumps(document), self._region, kind, name),
            )
        return document

    def put(self, kind: str, name: str, document: Mapping[str, Any]) -> None:
        """Create or replace."""
        self._execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", kind, name, json.dumps(document))

    def delete(self, kind: str, name: str) -> bool:
        """Whether there was one."""
        with self._database.lock:
            cursor = self._database.connection.execute(
                "DELETE FROM documents WHERE region = ? AND kind = ? AND name = ?", (self._region, kind, name)
            )
            return cursor.rowcount > 0

    def items(self, kind: str) -> builtins.list[tuple[str, Document]]:
        """The names of a kind's documents and the documents, by name."""
        with self._database.lock:
            rows = self._database.connection.execute(
                "SELECT name, document FROM documents WHERE region = ? AND kind = ? ORDER BY name", (self._region, kind)
            ).fetchall()
        return [(name, _load(text)) for name, text in rows]

    def list(self, kind: str) -> builtins.list[Document]:
        """Every document of the kind, by name."""
        return [document for _, document in self.items(kind)]

    def _execute(self, statement: str, *values: str) -> None:
        with self._database.lock:
            self._database.connection.execute(statement, (self._region, *values))


def _load(text: str) -> Document:
    document: Document = json.loads(text)
    return document
