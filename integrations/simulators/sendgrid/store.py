"""What the simulated provider remembers, in SQLite: it is another company's database, not ours."""

import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

_SCHEMA = """
create table if not exists messages (
    id integer primary key,
    msg_id text not null unique,
    delivery_id text,
    to_email text not null, to_name text not null,
    from_email text not null, from_name text not null, reply_to text not null,
    subject text not null, text text not null, html text not null,
    headers text not null, categories text not null, custom_args text not null,
    business_time text not null,
    arrived_at real not null,
    status text not null,
    opens integer not null default 0, clicks integer not null default 0, replies integer not null default 0,
    calendar text not null default '', attachments text not null default '[]'
);
create index if not exists messages_by_delivery on messages (delivery_id);
create index if not exists messages_by_recipient on messages (to_email);
create table if not exists events (
    id integer primary key,
    event_id text not null unique,
    message_id integer not null references messages (id),
    kind text not null,
    at real not null,
    payload text not null,
    due_at real,
    attempts integer not null default 0,
    answered text not null default ''
);
create index if not exists events_by_message on events (message_id);
create index if not exists events_due on events (due_at) where due_at is not null;
create table if not exists suppressions (
    kind text not null, email text not null,
    reason text not null, status text not null, created integer not null,
    primary key (kind, email)
);
"""
REPLY, ONE_CLICK = "reply", "one-click unsubscribe"
NOT_IN_WEBHOOK = (REPLY, ONE_CLICK)
_SEARCHED = "to_email || ' ' || to_name || ' ' || from_name || ' ' || subject || ' ' || text"
_COUNTED = {"open": "opens", "click": "clicks", REPLY: "replies"}

Row = dict[str, Any]


class MailStore:
    """Messages, their events and suppressions. There is one writer: plain calls within the loop will do."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.row_factory = lambda cursor, row: {
            column[0]: value for column, value in zip(cursor.description, row, strict=True)
        }
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(_SCHEMA)
        self._add_columns()

    def _add_columns(self) -> None:
        """Bring a file of an earlier version up to date."""
        known = {row["name"] for row in self._all("pragma table_info(messages)")}
        for name, empty in (("calendar", ""), ("attachments", "[]")):
            if name not in known:
                self._db.execute(f"alter table messages add column {name} text not null default '{empty}'")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, message: Row, events: Iterable[Row], webhook_due: float | None) -> int:
        """Keep one accepted message with its first events; both or neither survive a crash."""
        self._db.execute("begin immediate")
        try:
            added = self._insert("messages", message)
            for event in events:
                self._insert("events", {**event, "message_id": added, "due_at": webhook_due})
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
        return added

    def add_event(self, message_id: int, event: Row, webhook_due: float | None, status: str | None) -> None:
        """Keep a later event of a message; `status` is what the message has become, if it has."""
        self._insert("events", {**event, "message_id": message_id, "due_at": webhook_due})
        column = _COUNTED.get(event["kind"])
        if column:
            self._db.execute(f"update messages set {column} = {column} + 1 where id = ?", (message_id,))  # noqa: S608 - from our own table
        if status:
            self._db.execute("update messages set status = ? where id = ?", (status, message_id))

    def message(self, message_id: int) -> Row | None:
        """Return one message."""
        return self._one("select * from messages where id = ?", message_id)

    def by_delivery(self, delivery_id: str) -> Row | None:
        """Return the last message with our delivery id."""
        return self._one("select * from messages where delivery_id = ? order by id desc limit 1", delivery_id)

    def find(self, filters: Mapping[str, str], limit: int, offset: int = 0) -> list[Row]:
        """Return messages, newest first."""
        where, values = _where(filters)
        sql = f"select * from messages {where} order by id desc limit ? offset ?"  # noqa: S608 - fixed clauses
        return self._all(sql, *values, limit, offset)

    def count(self, filters: Mapping[str, str]) -> int:
        """Return how many messages fit."""
        where, values = _where(filters)
        row = self._one(f"select count(*) as n from messages {where}", *values)  # noqa: S608 - fixed clauses
        return int(row["n"]) if row else 0

    def summary(self) -> Row:
        """Return counts over everything; `duplicates` are messages beyond the first of a delivery id."""
        row = self._one(
            "select count(*) as messages, count(distinct delivery_id) as deliveries,"
            " count(distinct to_email) as recipients, coalesce(sum(opens > 0), 0) as opened,"
            " coalesce(sum(clicks > 0), 0) as clicked, coalesce(sum(replies > 0), 0) as replied,"
            " count(delivery_id) - count(distinct delivery_id) as duplicates from messages"
        )
        statuses = self._all("select status, count(*) as n from messages group by status order by status")
        return {**(row or {}), "statuses": {each["status"]: each["n"] for each in statuses}}

    def events(self, message_id: int) -> list[Row]:
        """Return a message's events in the order in which they happened."""
        return self._all("select * from events where message_id = ? order by at, id", message_id)

    def due_events(self, now: float, limit: int) -> list[Row]:
        """Return events whose webhook is to be delivered now."""
        return self._all("select * from events where due_at <= ? order by id limit ?", now, limit)

    def next_due(self) -> float | None:
        """Return when the next webhook is due."""
        row = self._one("select min(due_at) as due from events where due_at is not null")
        return row["due"] if row else None

    def settle_events(self, ids: Iterable[int], due_at: float | None, answer: str) -> None:
        """Note how the webhook answered; `due_at` None means that it is delivered."""
        self._db.execute("begin immediate")
        self._db.executemany(
            "update events set due_at = ?, attempts = attempts + 1, answered = ? where id = ?",
            [(due_at, answer, each) for each in ids],
        )
        self._db.execute("commit")

    def waiting_webhooks(self) -> int:
        """Return how many events still wait for their webhook."""
        row = self._one("select count(*) as n from events where due_at is not null")
        return int(row["n"]) if row else 0

    def make_due(self, now: float) -> int:
        """Have every event of the webhook delivered (again); returns how many."""
        kinds = ", ".join("?" * len(NOT_IN_WEBHOOK))
        sql = f"update events set due_at = ? where kind not in ({kinds})"  # noqa: S608 - question marks only
        return self._db.execute(sql, (now, *NOT_IN_WEBHOOK)).rowcount

    def suppress(self, kind: str, email: str, reason: str, status: str = "") -> None:
        """Put an address on a suppression list."""
        self._db.execute(
            "insert or ignore into suppressions values (?, ?, ?, ?, ?)",
            (kind, email.lower(), reason, status, int(time.time())),
        )

    def release(self, kind: str, email: str) -> int:
        """Take an address off a list; returns how many were on it."""
        sql = "delete from suppressions where kind = ? and email = ?"
        return self._db.execute(sql, (kind, email.lower())).rowcount

    def suppressions(self, kind: str, email: str | None = None) -> list[Row]:
        """Return a list, or its entry of one address."""
        sql = "select * from suppressions where kind = ? and (? is null or email = ?) order by created, email"
        wanted = email.lower() if email else None
        return self._all(sql, kind, wanted, wanted)

    def suppression_of(self, email: str) -> Row | None:
        """Return why an address gets nothing, if so; who left a group still gets the rest."""
        return self._one(
            "select * from suppressions where email = ? and kind <> 'group' limit 1", email.lower()
        )

    def clear(self) -> None:
        """Forget everything."""
        for table in ("events", "messages", "suppressions"):
            self._db.execute(f"delete from {table}")  # noqa: S608 - from the tuple above

    def _insert(self, table: str, values: Row) -> int:
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        sql = f"insert into {table} ({columns}) values ({marks})"  # noqa: S608 - names of our own columns
        return int(self._db.execute(sql, tuple(values.values())).lastrowid or 0)

    def _one(self, sql: str, *values: object) -> Row | None:
        found: Row | None = self._db.execute(sql, values).fetchone()
        return found

    def _all(self, sql: str, *values: object) -> list[Row]:
        return self._db.execute(sql, values).fetchall()


def _where(filters: Mapping[str, str]) -> tuple[str, list[str]]:
    """Build the condition from known filters: search (anywhere in people, subject or text) and exact ones."""
    clauses, values = [], []
    for name in ("to_email", "from_email", "delivery_id", "status", "subject", "msg_id"):
        if filters.get(name):
            clauses.append(f"{name} = ?")
            values.append(filters[name])
    if filters.get("category"):
        clauses.append("exists (select 1 from json_each(categories) where value = ?)")
        values.append(filters["category"])
    for word in filters.get("search", "").split():
        clauses.append(
            "(to_email || ' ' || to_name || ' ' || from_name || ' ' || subject || ' ' || text) like ?"
        )
        values.append(f"%{word}%")
    return ("where " + " and ".join(clauses) if clauses else ""), values


def pack(value: object) -> str:
    """Write a value as the JSON that the store keeps."""
    return msgspec.json.encode(value).decode()
