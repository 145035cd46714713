"""Proves, before anything is learned, that snapshots of the past hold nothing that became known later."""

import dataclasses
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.features import CustomerFeatures
from domain.time import BusinessInstant
from models.database import Database
from models.features import AS_KNOWN, PRESENT, Reader, read_features
from models.snapshots import freshness_at
from models.time_travel import delete_future, known_by, one_look, plant_future

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
