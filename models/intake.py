"""What providers tell, made fit for the books: whose it is, which term it ends, and what waits for a person.

Pulls and webhooks share it. It runs in the transaction of its caller, who moves a cursor or settles a
delivery with it: either both happen, or neither.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.fact_merge import NOT_LATER
from domain.facts import CancellationFact, CustomerFact, Fact
from domain.pulling import Hint
from domain.time import BusinessInstant, WallInstant
from models.arrays import among
from models.asked_objects import ask_for
from models.customer_matching import GROUP, linked
from models.facts import CUSTOMERS, store_facts
from models.facts_batch import Problem, StoreResult, Verdict
from models.hints import recognise
from models.intake_people import Entries, aligned, without_known_people
from models.quarantine import OPEN, REPLAYED, BadRow, quarantine
from models.rescoring import HISTORY, ask_rescoring
from models.source_days import count_day
from models.sources import Source, get_source, note_received
from models.tables.customers import CustomerRow
from models.tables.data import QuarantinedRow
from models.tables.facts import SubscriptionRow
from models.terms import settle_terms


@dataclass(frozen=True)
class Item:
    """One object of a provider with what it says, or with why it could not be understood."""

    stream: str
    id: str
    facts: tuple[Fact, ...] = ()
    hints: tuple[Hint, ...] = ()
    problem: str | None = None
    """`field: what is wrong with it`."""
    cells: Mapping[str, Any] | None = None
    """The row, of a table that cannot be asked for one object again."""


@dataclass(frozen=True)
class Tally:
    """What became of the objects: each counts once, as the worst of its facts."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Add up two pages."""
        return Tally(
            self.read + other.read,
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
        )


async def take_in(
    session: AsyncSession,
    source_id: str,
    items: Sequence[Item],
    received_at: WallInstant,
    now: BusinessInstant,
) -> Tally:
    """Store what the objects say; quarantine, by stream and id, what nobody can be named for."""
    source = await get_source(session, source_id)
    await _lock(session, source_id)
    hints = [hint for item in items for hint in item.hints]
    await ask_again(session, source_id, await recognise(session, source, hints, now))
    entries = [(number, fact) for number, item in enumerate(items) for fact in item.facts]
    kept = await _prepared(session, source, entries, now)
    result = await store_facts(session, source_id, [fact for _, fact in kept], received_at=received_at)
    await _note_history(session, source, kept, result, received_at)
    bad = _bad(items, kept, result)
    await quarantine(session, None, source_id, list(bad.values()), received_at)
    await _settle(session, source_id, [item for n, item in enumerate(items) if n not in bad], received_at)
    await note_received(session, source_id, received_at)
    told = {n for (n, _), verdict in zip(kept, result.verdicts, strict=True) if verdict is Verdict.STORED}
    stored = len(told - set(bad))
    tally = Tally(len(items), stored, len(items) - stored - len(bad), len(bad))
    await _count(session, source_id, items, tally, received_at)
    return tally


async def _count(
    session: AsyncSession, source_id: str, items: Sequence[Item], tally: Tally, wall: WallInstant
) -> None:
    """Count the objects for the data page, a page of one stream at a time."""
    counts = {"stored": tally.stored, "duplicates": tally.duplicates, "quarantined": tally.quarantined}
    if items:
        await count_day(session, source_id, wall.date(), items[0].stream, received=tally.read, **counts)


async def _note_history(
    session: AsyncSession, source: Source, kept: Entries, result: StoreResult, wall: WallInstant
) -> None:
    """Have the customers scored, when the pass has ended, of whom only the past was told."""
    told = zip((fact for _, fact in kept), result.verdicts, strict=True)
    past = [
        fact for fact, verdict in told if verdict is Verdict.STORED and fact.known_at < source.connected_at
    ]
    names = {fact.key if isinstance(fact, CustomerFact) else fact.customer for fact in past}
    ids = {result.customers[name] for name in names if name in result.customers}
    await ask_rescoring(session, ids, wall, HISTORY)


async def _lock(session: AsyncSession, source_id: str) -> None:
    """Take the lock of the source's writers: what is compared here must not change before it is stored."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"facts/{source_id}"}
    )


async def _prepared(session: AsyncSession, source: Source, entries: Entries, now: BusinessInstant) -> Entries:
    """Leave out what another source tells better, and end the terms that were replaced."""
    if CUSTOMERS not in source.provides:
        entries = [(n, fact) for n, fact in entries if not isinstance(fact, CustomerFact)]
        entries = await without_known_people(session, source.id, entries, now)
    entries = await aligned(session, source.id, entries)
    entries = await _with_terms(session, source.id, entries)
    return await _without_partial_cancellations(session, source, entries)


async def _with_terms(session: AsyncSession, source_id: str, entries: Entries) -> Entries:
    facts = await settle_terms(session, source_id, [fact for _, fact in entries])
    numbers: dict[tuple[str, str], int] = {(fact.type, fact.key.split("#")[0]): n for n, fact in entries}
    return [(numbers[fact.type, fact.key.split("#")[0]], fact) for fact in facts]


async def _without_partial_cancellations(session: AsyncSession, source: Source, entries: Entries) -> Entries:
    """Keep the end of a subscription from counting as a departure while the customer has another one."""
    told = [fact for _, fact in entries if isinstance(fact, CancellationFact)]
    if not told:
        return entries
    ids = await customers_named(session, source, [fact.customer for fact in told])
    staying: set[str] = set()
    for fact in told:
        base, row = fact.key.split("/")[0], SubscriptionRow
        other = select(row.id).where(
            row.customer_id == ids.get(fact.customer),
            ~row.external_id.startswith(base, autoescape=True),
            row.started_at <= fact.occurred_at,
            row.ended_at.is_(None) | (row.ended_at > fact.occurred_at),
            row.is_trial.is_(False),
        )
        if await session.scalar(other.limit(1)) is not None:
            staying.add(fact.key)
    return [(n, f) for n, f in entries if not (isinstance(f, CancellationFact) and f.key in staying)]


async def customers_named(
    session: AsyncSession, source: Source, names: Sequence[str]
) -> dict[str, uuid.UUID]:
    """Return the customers that a source's own ids stand for, as far as somebody can be named."""
    row = CustomerRow
    query = select(row.external_id, row.id).where(
        row.source_id == source.id, among(row.external_id, list(names))
    )
    own = dict((await session.execute(query)).all())
    return await linked(session, source.id, GROUP, list(names)) | own


def _bad(items: Sequence[Item], kept: Entries, result: StoreResult) -> dict[int, BadRow]:
    """Return one row per object that was not stored whole."""
    bad: dict[int, BadRow] = {}
    for number, item in enumerate(items):
        if item.problem is not None:
            field, _, reason = item.problem.partition(": ")
            bad[number] = _row(item, "invalid", field, reason or item.problem, None)
    for index, problem in result.problems.items():
        number, fact = kept[index]
        if problem.reason.endswith(NOT_LATER):  # a newer word was there first
            continue
        kind = "conflict" if result.verdicts[index] is Verdict.CONFLICT else "unresolved"
        bad.setdefault(number, _row(items[number], kind, problem.field, _words(problem), fact))
    return bad


def _words(problem: Problem) -> str:
    return f"{problem.type} {problem.key}: {problem.reason}"


def _row(item: Item, kind: str, field: str, reason: str, fact: Fact | None) -> BadRow:
    """Name the object; its content is with the provider, and is fetched anew when it is tried again."""
    raw: dict[str, Any] = {"stream": item.stream, "id": item.id}
    raw |= {"customer": getattr(fact, "customer", None)}
    raw |= {} if item.cells is None else {"cells": dict(item.cells)}
    return BadRow(item.stream, 0, kind, field, reason, raw)


async def _settle(session: AsyncSession, source_id: str, items: Iterable[Item], wall: WallInstant) -> None:
    """Close what waited in quarantine and is in the books now."""
    by_stream: dict[str, list[str]] = {}
    for item in items:
        by_stream.setdefault(item.stream, []).append(item.id)
    for stream, ids in by_stream.items():
        row = QuarantinedRow
        statement = update(row).where(
            row.source_id == source_id,
            row.file == stream,
            row.state == OPEN,
            among(row.raw["id"].astext, ids),
        )
        await session.execute(statement.values(state=REPLAYED, settled_at=wall))


async def ask_again(session: AsyncSession, source_id: str, keys: Sequence[str]) -> int:
    """Have the objects read again that waited for these keys to be somebody's; return how many."""
    if not keys:
        return 0
    row = QuarantinedRow
    query = select(row.file, row.raw["id"].astext).where(
        row.source_id == source_id, row.state == OPEN, among(row.raw["customer"].astext, list(keys))
    )
    waiting = (await session.execute(query.distinct())).all()
    for stream, object_id in waiting:
        await ask_for(session, source_id, stream, object_id)
    return len(waiting)
