"""What the simulated Stripe remembers: JSON documents in SQLite, of which the memory holds a copy.

Everything that one call changes is written in one transaction when the call ends, before it is answered.
"""

import secrets
import sqlite3
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

Row = dict[str, Any]
_SCHEMA = """
create table if not exists documents (
    kind text not null, id text not null, body text not null,
    primary key (kind, id)
);
"""
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_META = "_meta"
ORDER = "_n"
"""A document's place in the order of creation: a second can hold many."""


class StripeStore:
    """Documents by kind (the name of the list in the API; with an underscore: our own) and id.

    There is one writer: plain calls within the loop will do.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Open a file, or keep everything in memory."""
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(_SCHEMA)
        self.rows: dict[str, dict[str, Row]] = {}
        self._dirty: set[tuple[str, str]] = set()
        self._load()

    def of(self, kind: str) -> dict[str, Row]:
        """Return the documents of a kind by id, in the order of their creation."""
        return self.rows.setdefault(kind, {})

    def put(self, kind: str, row: Row) -> Row:
        """Keep a document, new or changed."""
        if ORDER not in row:
            row[ORDER] = self._next()
        self.of(kind)[row["id"]] = row
        self._dirty.add((kind, row["id"]))
        return row

    def drop(self, kind: str, key: str) -> None:
        """Forget a document."""
        self.of(kind).pop(key, None)
        self._dirty.add((kind, key))

    def find(self, key: str) -> tuple[str, Row] | None:
        """Return any object of the API by its id, with its kind."""
        held = ((kind, rows[key]) for kind, rows in self.rows.items() if key in rows and kind[0] != "_")
        return next(held, None)

    def setting(self, name: str) -> Row:
        """Return what is set under a name; empty where nothing is."""
        return self.of(_META).get(name) or {"id": name}

    def set(self, name: str, **values: Any) -> None:
        """Set something under a name; what is not given stays."""
        self.put(_META, {**self.setting(name), **values})

    def new_id(self, prefix: str, width: int = 14) -> str:
        """Return an id that no other account has: prefix, a mark of this account, a number."""
        digits, number = "", self._next()
        while number:
            number, digit = divmod(number, len(_ALPHABET))
            digits = _ALPHABET[digit] + digits
        return f"{prefix}_1{self.mark}{digits.rjust(width - len(self.mark), '0')}"

    @property
    def mark(self) -> str:
        """What every id of this account holds."""
        found = self.setting("account").get("mark")
        if not found:
            found = "".join(secrets.choice(_ALPHABET) for _ in range(8))
            self.set("account", mark=found)
        return str(found)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that was changed within, or, after an exception, none of it."""
        try:
            yield
        except BaseException:
            self._dirty.clear()
            self._load()
            raise
        self.commit()

    def commit(self) -> None:
        """Write what was changed."""
        if not self._dirty:
            return
        self._db.execute("begin immediate")
        for kind, key in self._dirty:
            row = self.of(kind).get(key)
            if row is None:
                self._db.execute("delete from documents where kind = ? and id = ?", (kind, key))
            else:
                packed = msgspec.json.encode(row).decode()
                self._db.execute("insert or replace into documents values (?, ?, ?)", (kind, key, packed))
        self._db.execute("commit")
        self._dirty.clear()

    def clear(self) -> None:
        """Forget everything except which account this is, so that no id is ever given twice."""
        kept = {name: dict(self.setting(name)) for name in ("account", "sequence")}
        self._dirty = {(kind, key) for kind, rows in self.rows.items() for key in rows}
        for rows in self.rows.values():
            rows.clear()
        for row in kept.values():
            self.put(_META, row)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _next(self) -> int:
        row = self.of(_META).setdefault("sequence", {"id": "sequence", ORDER: 0, "number": 0})
        row["number"] += 1
        self._dirty.add((_META, "sequence"))
        return int(row["number"])

    def _load(self) -> None:
        found = [
            (kind, msgspec.json.decode(body))
            for kind, body in self._db.execute("select kind, body from documents").fetchall()
        ]
        for rows in self.rows.values():
            rows.clear()
        for kind, row in sorted(found, key=lambda each: each[1][ORDER]):
            self.of(kind)[row["id"]] = row
