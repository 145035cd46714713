"""Facts that are rows of their own and may be told again: subscriptions, tickets, invoices and so on."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, inspect, select, update

from domain.fact_merge import RULES, Clash, MergeRule, content_hash, known_latest, merge, with_known
from domain.facts import Fact
from domain.time import BusinessInstant
from domain.vocabulary import Direction, TouchpointState
from models.arrays import among
from models.fact_changes import by_known, change_of, note_changes
from models.facts_batch import Batch, Indexed, Verdict, fact_id, keys_of
from models.facts_notices import notify_invoice, notify_touchpoint
from models.tables.base import Base
from models.tables.facts import (
    CancellationRow,
    GoalRow,
    InvoiceRow,
    MeetingRow,
    SubscriptionRow,
    SurveyRow,
    TicketRow,
)
from models.tables.ledger import TouchpointRow

TABLES: Mapping[str, type[Base]] = {
    "subscription": SubscriptionRow,
    "ticket": TicketRow,
    "survey": SurveyRow,
    "meeting": MeetingRow,
    "goal": GoalRow,
    "invoice": InvoiceRow,
    "touchpoint": TouchpointRow,
    "cancellation": CancellationRow,
}
"""In the order in which they are stored."""
COMMERCIAL = frozenset({"subscription", "cancellation"})
NOT_COLUMNS = {"type", "key", "customer", "contact", "user_email", "fingerprint"}

Row = dict[str, Any]


async def store_entities(batch: Batch, kind: str, facts: Indexed) -> None:
    """Store the facts of one type: insert the new, move the known forward, refuse what contradicts."""
    known = await _load(batch, TABLES[kind], keys_of(facts))
    writes = _Writes(batch, kind, known)
    for index, fact in facts:
        writes.take(index, fact)
    await writes.flush()


class _Writes:
    """Collects the inserts and updates of one type of fact, in the order in which they are told."""

    def __init__(self, batch: Batch, kind: str, known: dict[str, Row]) -> None:
        self.batch, self.kind, self.known = batch, kind, known
        self.rule, self.table = RULES[kind], TABLES[kind]
        self.inserts: dict[str, Row] = {}
        self.updates: dict[uuid.UUID, Row] = {}
        self.moved: list[Row] = []

    def take(self, index: int, fact: Fact) -> None:
        """Decide what one fact does."""
        customer = self.batch.customer_of(index, fact, getattr(fact, "customer", ""))
        if customer is None or not self.batch.has_contact(index, fact, getattr(fact, "contact", None)):
            return
        row = self._row(fact, customer)
        old = self.known.get(fact.key)
        if old is None:
            self.inserts[fact.key] = self.known[fact.key] = row
            self._settle(index, row, {})
        else:
            self._retell(index, fact, old, row)

    def _retell(self, index: int, fact: Fact, old: Row, new: Row) -> None:
        if old["content_hash"] != new["content_hash"]:
            reason = "the same key was told before with other content"
            self.batch.refuse(index, fact, Verdict.CONFLICT, "key", reason)
            return
        is_later = new["told_at"] > old["told_at"]
        changes = merge(self.rule, old, new, is_later=is_later)
        if isinstance(changes, Clash):
            self.batch.refuse(index, fact, Verdict.CONFLICT, changes.field, changes.reason)
        elif not changes:
            self.batch.settle(index, Verdict.DUPLICATE)
        else:
            self._keep(old, changes, new["told_at"])
            self._change(old, changes | {"told_at": max(old["told_at"], new["told_at"])})
            self._settle(index, old, changes)

    def _keep(self, old: Row, changes: Row, told_at: BusinessInstant) -> None:
        """Keep what the row said so far, by when the news was known."""
        for known_at, names in by_known(self.rule, changes, told_at).items():
            before = {name: old[name] for name in names}
            self.moved.append(change_of(self.table, old, self.batch.source.id, known_at, before))

    def _change(self, old: Row, changes: Row) -> None:
        old.update(changes)
        if old["external_id"] not in self.inserts:
            self.updates.setdefault(old["id"], {"id": old["id"]}).update(changes)

    def _settle(self, index: int, row: Row, changes: Row) -> None:
        self.batch.settle(index, Verdict.STORED)
        if self.kind in COMMERCIAL:
            self.batch.to_refresh.add(row["customer_id"])
        if self.kind == "touchpoint":
            notify_touchpoint(self.batch, row)
        if self.kind == "invoice":
            notify_invoice(self.batch, row, is_change=bool(changes), changes=changes)
            self.batch.moved_invoices |= {row["id"]: row} if changes else {}

    def _row(self, fact: Fact, customer: uuid.UUID) -> Row:
        values = with_known(self.rule, _columns(fact), fact.known_at)
        row = values | {
            "id": fact_id(self.batch.source.id, self.kind, fact.key),
            "source_id": self.batch.source.id,
            "external_id": fact.key,
            "content_hash": content_hash(fact, self.rule),
            "customer_id": customer,
            "told_at": known_latest(self.rule, values, fact.known_at),
            "received_at": self.batch.received_at,
        }
        return row | _links(self.batch, fact, self.rule)

    async def flush(self) -> None:
        """Write what was decided, set-wise."""
        columns = set(inspect(self.table).columns.keys())
        rows = [{name: row[name] for name in row if name in columns} for row in self.inserts.values()]
        if rows:
            await self.batch.session.execute(insert(self.table), rows)
        if self.updates:
            await self.batch.session.execute(
                update(self.table), [_only(row, columns) for row in self.updates.values()]
            )
        await note_changes(self.batch.session, self.moved)


def _only(row: Row, columns: set[str]) -> Row:
    return {name: value for name, value in row.items() if name in columns}


def _columns(fact: Fact) -> Row:
    return {name: value for name, value in fact if name not in NOT_COLUMNS}


def _links(batch: Batch, fact: Fact, rule: MergeRule) -> Row:
    links: Row = {}
    if "contact" in rule.fixed:
        links["contact_id"] = batch.contacts.get(getattr(fact, "contact", None) or "")
    if "user_email" in rule.fixed:
        links["user_id"] = batch.users.get((getattr(fact, "user_email", None) or "").lower())
        came = getattr(fact, "direction", None) is Direction.IN
        links["state"] = TouchpointState.RECEIVED if came else TouchpointState.SENT
    return links


async def _load(batch: Batch, table: type[Base], keys: Sequence[str]) -> dict[str, Row]:
    columns = inspect(table).columns
    query = select(*columns).where(columns["source_id"] == batch.source.id)
    rows = await batch.session.execute(query.where(among(columns["external_id"], keys)))
    loaded = {row["external_id"]: dict(row) for row in rows.mappings()}
    for row in loaded.values():
        row["told_at"] = row.get("told_at") or row["known_at"]
    return loaded
