"""Proves, before anything is learned, that snapshots of the past hold nothing that became known later."""

import dataclasses
import datetime as dt
import math
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.features import CustomerFeatures
from domain.learning_port import Check
from domain.learning_rows import World
from domain.model_features import vector
from domain.time import BusinessInstant, start_of_day
from models.database import Database
from models.features import AS_KNOWN, PRESENT, Reader, read_features
from models.snapshots import freshness_at, load_snapshot
from models.time_travel import delete_future, known_by, one_look, plant_future

LOOKED_AT = 200
"""Customers that a training computes anew without the future."""
ALONE = 20
"""Customers whose row is computed alone and in company, and compared to the bit."""
MOST_NAMED = 50
"""Differences that a report names; it counts all."""
_BOUND = "known_at <= :as_of"
CARELESS = Reader(
    AS_KNOWN.relations.replace(_BOUND, f"{_BOUND} + interval '2 days'"),
    AS_KNOWN.usage.replace(_BOUND, f"{_BOUND} + interval '2 days'"),
    derives=True,
)
"""Reads what became known within two days after the instant, as a query without the bound would."""


@dataclass(frozen=True)
class Difference:
    """One value that is not what it would be without the future."""

    customer_id: uuid.UUID
    column: str
    as_read: str
    without_future: str


@dataclass(frozen=True)
class LeakReport:
    """What a check compared and found. `passed` says whether the snapshots may be learned from."""

    name: str
    passed: bool
    customers: int
    values: int
    """Values that were compared."""
    found: int = 0
    differences: tuple[Difference, ...] = ()
    """The first of those that were found."""


class SnapshotCheck(Protocol):
    """Looks at the snapshots of a date that are to be learned from."""

    async def __call__(self, database: Database, world: World, date: dt.date, /) -> Check:
        """Say whether they may be."""
        ...


async def future_deleted(database: Database, world: World, date: dt.date, reader: Reader = AS_KNOWN) -> Check:
    """See that some of the rows are the same in a world from which the future is deleted."""
    ids = await _live(database, world, date, LOOKED_AT)
    return as_check([await future_deleted_equal(database, ids, start_of_day(date), world.since, reader)])


async def feature_parity(database: Database, world: World, date: dt.date) -> Check:
    """See that a row is the same to the bit whether everyone is looked at or one customer alone."""
    ids, as_of = await _live(database, world, date, ALONE), start_of_day(date)
    async with database.transaction() as session:
        together = await load_snapshot(session, ids, as_of, world.since)
        alone = [await load_snapshot(session, [one], as_of, world.since) for one in ids]
    same = [
        _is_same(vector(whole, world.columns), vector(single, world.columns))
        for whole, (single,) in zip(together, alone, strict=True)
    ]
    said = f"{sum(same)} of {len(same)} customers are the same alone as in company"
    return Check("feature_parity", all(same), said)


SNAPSHOT_CHECKS: tuple[SnapshotCheck, ...] = (future_deleted, feature_parity)
"""What every training asks before it learns."""


async def _live(database: Database, world: World, date: dt.date, most: int) -> list[uuid.UUID]:
    """Return some of those who were customers on a date and known by then."""
    as_of = start_of_day(date)
    live = [key for key, one in world.relations.items() if one.is_live_at(as_of)]
    async with database.transaction() as session:
        return (await known_by(session, live, as_of))[:most]


def _is_same(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one, other, strict=True))


def as_check(reports: Sequence[LeakReport]) -> Check:
    """Return what one comparison found on each of some dates."""
    values, found = sum(one.values for one in reports), sum(one.found for one in reports)
    first = next((one.differences[0] for one in reports if one.differences), None)
    said = f"{found:,} of {values:,} values of {max(one.customers for one in reports)} customers differ"
    if first is not None:
        said += f", such as {first.column}: {first.as_read} instead of {first.without_future}"
    return Check(reports[0].name, all(one.passed for one in reports), said)


async def future_deleted_equal(
    database: Database,
    ids: Collection[uuid.UUID],
    as_of: BusinessInstant,
    since: Mapping[str, BusinessInstant],
    reader: Reader = AS_KNOWN,
) -> LeakReport:
    """Compare snapshots of the past with the present of a world from which the future is deleted.

    The code that scores tonight reads that world. No row is touched (models/time_travel.py). Nobody known at
    the instant is no proof, and no pass. `since`: models.snapshots.told_since.
    """
    freshness = freshness_at(since, as_of)
    async with one_look(database) as session:
        known = await known_by(session, ids, as_of)
        read = await read_features(session, known, as_of, freshness, reader)
        await delete_future(session, known, as_of)
        without = await read_features(session, known, as_of, freshness, PRESENT)
    found = differences(read, without)
    compared = sum(len(dict(_values(one))) for one in without)
    named = tuple(found[:MOST_NAMED])
    is_equal = not found and bool(known)
    return LeakReport("future_deleted_equal", is_equal, len(known), compared, len(found), named)


async def planted_leak_refused(
    database: Database,
    ids: Collection[uuid.UUID],
    as_of: BusinessInstant,
    since: Mapping[str, BusinessInstant],
) -> LeakReport:
    """Plant what became known a day later, and see that the comparison tells a careless reader by it.

    It passes where the careless reader differs for every customer, and ours for none.
    """
    freshness = freshness_at(since, as_of)
    async with one_look(database) as session:
        known = await known_by(session, ids, as_of)
        without = await read_features(session, known, as_of, freshness, AS_KNOWN)
        await plant_future(session, known, as_of)
        ours = await read_features(session, known, as_of, freshness, AS_KNOWN)
        careless = await read_features(session, known, as_of, freshness, CARELESS)
    caught = differences(careless, without)
    is_refused = {one.customer_id for one in caught} == set(known) and bool(known)
    passed = is_refused and not differences(ours, without)
    compared = sum(len(dict(_values(one))) for one in without)
    named = tuple(caught[:MOST_NAMED])
    return LeakReport("planted_leak_refused", passed, len(known), compared, len(caught), named)


def differences(read: Sequence[CustomerFeatures], without: Sequence[CustomerFeatures]) -> list[Difference]:
    """Return every value that differs, by customer and by its path within the features."""
    found: list[Difference] = []
    for one, other in zip(read, without, strict=True):
        here, there = dict(_values(one)), dict(_values(other))
        found += [
            Difference(one.customer_id, path, repr(here.get(path)), repr(there.get(path)))
            for path in sorted(here.keys() | there.keys())
            if path not in here or path not in there or here[path] != there[path]
        ]
    return found


def _values(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every single value of nested features with its path."""
    if dataclasses.is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, Mapping):
        parts = dict(value)
    else:
        yield path, value
        return
    for name, part in parts.items():
        yield from _values(part, f"{path}.{name}" if path else str(name))
