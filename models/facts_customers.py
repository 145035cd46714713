"""Customers as their sources declare them. What is derived from it is the business of customer_standing."""

import uuid
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.fact_merge import RULES, Clash, content_hash, merge
from domain.facts import CustomerFact, Fact
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, NoticeKind, Segment, TouchTier
from models.arrays import among, among_ids
from models.fact_changes import change_of, note_changes
from models.facts_batch import Batch, Indexed, Verdict, fact_id, keys_of
from models.outbox import Notice
from models.tables.connections import UploadEditRow
from models.tables.customers import CustomerRow

RULE = RULES["customer"]
FIELDS = RULE.filled + RULE.latest
COPIED = (
    "name",
    "domain",
    "industry",
    "country",
    "time_zone",
    "employees",
    "plan",
    "onboarded_at",
    "first_value_at",
)
"""Declared fields that are columns as they are."""
OWNERS = {"csm_email": "csm_id", "sales_owner_email": "sales_owner_id"}
"""A newly declared owner replaces whoever was assigned here; the refresh finds the user."""

Row = dict[str, Any]


async def store_customers(batch: Batch, facts: Indexed) -> None:
    """Add new customers with what is declared of them; move known ones forward."""
    known = await _load(batch, keys_of(facts))
    inserts: dict[str, Row] = {}
    updates: dict[uuid.UUID, Row] = {}
    moved: list[Row] = []
    for index, fact in facts:
        row = known.get(fact.key)
        if row is None:
            known[fact.key] = inserts[fact.key] = _new(batch, fact)
            batch.settle(index, Verdict.STORED)
            continue
        before = row["values"]
        if _retell(batch, index, fact, row):
            moved.append(_kept(batch, fact, row, before))
            if fact.key not in inserts:
                updates[row["id"]] = row
    await _flush(batch, list(inserts.values()), list(updates.values()))
    await note_changes(batch.session, moved)


async def _load(batch: Batch, keys: list[str]) -> dict[str, Row]:
    row = CustomerRow
    columns = (row.id, row.external_id, row.content_hash, row.declared, row.known_at, row.told_at)
    own = select(*columns).where(row.source_id == batch.source.id, among(row.external_id, keys))
    found = {one["external_id"]: _loaded(dict(one)) for one in (await batch.session.execute(own)).mappings()}
    if batch.linked:
        query = select(*columns).where(among_ids(row.id, list(batch.linked.values())))
        others = {one["id"]: dict(one) for one in (await batch.session.execute(query)).mappings()}
        # Two keys may stand for one customer: they share its row, so that the later telling sees the earlier.
        shared = {customer: _loaded(one) | {"is_linked": True} for customer, one in others.items()}
        found = {key: shared[customer] for key, customer in batch.linked.items()} | found
    return found


def _loaded(row: Row) -> Row:
    told = CustomerFact.model_validate(
        {"key": "-", "known_at": row["known_at"], "name": "-"} | row["declared"]
    )
    return row | {"told_at": row["told_at"] or row["known_at"], "values": _values(told)}


def _values(fact: Fact) -> Row:
    return {name: getattr(fact, name) for name in FIELDS}


def _new(batch: Batch, fact: Fact) -> Row:
    return {
        "id": fact_id(batch.source.id, "customer", fact.key),
        "external_id": fact.key,
        "content_hash": content_hash(fact, RULE),
        "known_at": fact.known_at,
        "told_at": fact.known_at,
        "values": _values(fact),
    }


def _retell(batch: Batch, index: int, fact: Fact, row: Row) -> bool:
    """Tell whether the fact moved the customer forward."""
    if not row.get("is_linked") and row["content_hash"] != content_hash(fact, RULE):
        reason = "the same key was told before with other content"
        batch.refuse(index, fact, Verdict.CONFLICT, "key", reason)
        return False
    changes = merge(RULE, row["values"], _values(fact), is_later=fact.known_at > row["told_at"])
    if isinstance(changes, Clash):
        batch.refuse(index, fact, Verdict.CONFLICT, changes.field, changes.reason)
        return False
    batch.settle(index, Verdict.STORED if changes else Verdict.DUPLICATE)
    if not changes:
        return False
    row.setdefault("before", row["values"])
    row["values"] = row["values"] | changes
    row.setdefault("owners", {}).update({OWNERS[name]: None for name in OWNERS if name in changes})
    row["told_at"] = max(row["told_at"], fact.known_at)
    return True


def _kept(batch: Batch, fact: Fact, row: Row, before: Row) -> Row:
    """Return what was declared until this telling, of the fields that it changed."""
    told = _declared(before)
    changed = {name: told.get(name) for name in FIELDS if row["values"][name] != before[name]}
    return change_of(CustomerRow, row | {"customer_id": row["id"]}, batch.source.id, fact.known_at, changed)


async def _flush(batch: Batch, inserts: list[Row], updates: list[Row]) -> None:
    if inserts:
        await batch.session.execute(insert(CustomerRow), [_insert(batch, row) for row in inserts])
        batch.notices += [_added(row) for row in inserts if batch.announces]
    if updates:
        await batch.session.execute(update(CustomerRow), [_update(row) for row in updates])
        await _note_edits(batch, [row for row in updates if row.get("is_linked")])
    batch.to_refresh |= {row["id"] for row in inserts + updates}


async def _note_edits(batch: Batch, rows: list[Row]) -> None:
    """Keep what a customer of another source was like before this one changed it."""
    if not rows:
        return
    edits = [
        {"customer_id": row["id"], "before": _declared(row["before"]), "after": _declared(row["values"])}
        for row in rows
    ]
    statement = upsert(UploadEditRow)
    kept = {"after": statement.excluded.after}
    await batch.session.execute(
        statement.on_conflict_do_update(index_elements=["source_id", "customer_id"], set_=kept),
        [edit | {"source_id": batch.source.id} for edit in edits],
    )


def _declared(values: Row) -> Row:
    told = CustomerFact.model_construct(**values)
    kept: Row = told.model_dump(mode="json", include=set(FIELDS), exclude_none=True, warnings=False)
    return kept


def _copied(values: Row) -> Row:
    return {name: values[name] for name in COPIED} | {"time_zone": values["time_zone"] or "UTC"}


def _insert(batch: Batch, row: Row) -> Row:
    """Return the columns of a new customer; the derived ones are placeholders until the refresh."""
    derived = {"segment": Segment.SMALL, "touch_tier": TouchTier.TECH_TOUCH, "status": CustomerStatus.ACTIVE}
    own = {name: row[name] for name in ("id", "external_id", "content_hash", "known_at", "told_at")}
    declared = {"declared": _declared(row["values"]), "source_id": batch.source.id}
    return derived | own | declared | _copied(row["values"])


def _update(row: Row) -> Row:
    own = {"id": row["id"], "told_at": row["told_at"], "declared": _declared(row["values"])}
    owners: Row = row.get("owners", {})
    return own | _copied(row["values"]) | owners


def _added(row: Row) -> Notice:
    known_at: BusinessInstant = row["known_at"]
    return Notice(row["id"], NoticeKind.CUSTOMER_ADDED, {}, known_at)
