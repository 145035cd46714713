"""What a delivery told becomes facts; what cannot is kept in quarantine until it is read again."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.fact_merge import NOT_LATER
from domain.facts import Fact
from domain.time import BusinessInstant, WallInstant
from domain.webhook_messages import Part
from models.clock import load_timeline
from models.deliveries import Counts, Delivery, replay_unclean
from models.facts import store_facts
from models.facts_batch import StoreResult, Verdict
from models.hints import recognise
from models.intake import Item, take_in
from models.quarantine import OPEN, REPLAYED, BadRow, quarantine, row_hash
from models.source_days import count_day
from models.sources import Source
from models.tables.data import QuarantinedRow


@dataclass(frozen=True)
class _Entry:
    """One fact with the object that told it."""

    part: Part
    fact: Fact


def provided(source: Source, parts: Sequence[Part]) -> list[_Entry]:
    """Return the facts of the kinds that the source is there to tell, in order."""
    kinds = {kind if kind == "usage" else kind.removesuffix("s") for kind in source.provides}
    return [_Entry(part, fact) for part in parts for fact in part.facts if fact.type in kinds]


async def store_parts(
    session: AsyncSession,
    delivery: Delivery,
    source: Source,
    parts: Sequence[Part],
    wall: WallInstant,
    *,
    keeps_strangers: bool = True,
) -> Counts:
    """Store what a delivery told and quarantine the rest; what was quarantined of it before is settled.

    An older word that comes after a newer one is neither a conflict nor news. With `keeps_strangers` False,
    what concerns nobody we know is left out: a calendar holds meetings with others too, and is read again.
    """
    read = await _take_in(session, delivery, parts)
    parts = [part for part in parts if part.stream is None]
    await _recognise(session, source, parts, delivery, wall)
    entries = provided(source, parts)
    result = await store_facts(
        session, source.id, [each.fact for each in entries], received_at=delivery.received_at
    )
    bad = [
        *_malformed(delivery, parts),
        *_refused(delivery, entries, result, keeps_strangers=keeps_strangers),
    ]
    await quarantine(session, None, source.id, bad, wall)
    await _settle_others(session, delivery, bad, wall)
    late = sum(_is_late(result, index) for index in range(len(entries)))
    counts = Counts(result.stored, result.duplicates + late, len(bad))
    await count_day(
        session, source.id, delivery.received_at.date(), delivery.topic or "webhook", **asdict(counts)
    )
    return counts.plus(read)


async def _take_in(session: AsyncSession, delivery: Delivery, parts: Sequence[Part]) -> Counts:
    """Take in what the source's pull reads too, by the same rules and under the same keys."""
    items = [
        Item(part.stream, part.object_id, part.facts, part.hints, part.problem)
        for part in parts
        if part.stream is not None
    ]
    if not items:
        return Counts()
    now = await business_now(session, delivery.received_at)
    tally = await take_in(session, delivery.source_id, items, delivery.received_at, now)
    return Counts(tally.stored, tally.duplicates, tally.quarantined)


async def _recognise(
    session: AsyncSession, source: Source, parts: Sequence[Part], delivery: Delivery, wall: WallInstant
) -> None:
    """Link accounts that are another source's customers; what waited for them is read again."""
    hints = [hint for part in parts for hint in part.hints]
    if await recognise(session, source, hints, await business_now(session, delivery.received_at)):
        await replay_unclean(session, wall, source.id)


async def business_now(session: AsyncSession, wall: WallInstant) -> BusinessInstant:
    """Return business time at a wall instant."""
    timeline = await load_timeline(session)
    return BusinessInstant(wall) if timeline is None else timeline.business_at(wall)


def _malformed(delivery: Delivery, parts: Sequence[Part]) -> list[BadRow]:
    return [
        BadRow(delivery.file, part.place, "invalid", *_field(part.problem), dict(part.raw))
        for part in parts
        if part.problem is not None
    ]


def _field(problem: str) -> tuple[str, str]:
    """Split a translator's sentence into the field that it names and the reason."""
    field, colon, reason = problem.partition(": ")
    return (field, reason) if colon and " " not in field else ("(message)", problem)


def _refused(
    delivery: Delivery, entries: Sequence[_Entry], result: StoreResult, *, keeps_strangers: bool
) -> list[BadRow]:
    rows: dict[int, BadRow] = {}
    for index, problem in result.problems.items():
        verdict, place = result.verdicts[index], entries[index].part.place
        is_stranger = verdict is Verdict.UNRESOLVED
        if _is_late(result, index) or place in rows or (is_stranger and not keeps_strangers):
            continue
        raw: Mapping[str, Any] = entries[index].part.raw
        reason = f"{problem.type}: {problem.reason}"
        rows[place] = BadRow(delivery.file, place, verdict.value, problem.field, reason, dict(raw))
    return list(rows.values())


def _is_late(result: StoreResult, index: int) -> bool:
    """Tell a word that a newer one has overtaken from a contradiction."""
    problem = result.problems.get(index)
    is_conflict = result.verdicts[index] is Verdict.CONFLICT
    return is_conflict and problem is not None and problem.reason.endswith(NOT_LATER)


async def _settle_others(
    session: AsyncSession, delivery: Delivery, bad: Sequence[BadRow], wall: WallInstant
) -> None:
    """Mark what an earlier reading of this delivery quarantined and this one did not."""
    row, kept = QuarantinedRow, {row_hash(each.raw) for each in bad}
    query = select(row.id, row.row_hash).where(
        row.source_id == delivery.source_id, row.file == delivery.file, row.state == OPEN
    )
    gone: list[uuid.UUID] = [found.id for found in await session.execute(query) if found.row_hash not in kept]
    if gone:
        await session.execute(update(row).where(row.id.in_(gone)).values(state=REPLAYED, settled_at=wall))
