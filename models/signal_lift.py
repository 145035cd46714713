"""How much more often customers with a signal leave: measured on the past, kept with its date."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.scoring_policy import ScoringPolicy
from domain.signal_own import OwnSignal
from domain.time import BusinessInstant
from models.digests import Digest, keep_digest, read_digest
from models.signal_replay import Playback, name_of

KEY = "signal_lift"
HORIZON_DAYS = 90
LOOKS = (90, 120, 150, 180)
"""Days back: late enough for four looks, early enough for every outcome to be known."""
MOST_LEFT = 100
MOST_STAYED = 150
LEAST_WITH = 20
LEAST_LEFT = 5
"""Fewer customers with the signal, or fewer that left at all, and there is no figure."""


@dataclass(frozen=True)
class Lift:
    """Shares of customers that left within 90 days: with the signal, and of all."""

    shown: int
    left: int
    rate: float
    base_rate: float

    @property
    def lift(self) -> float | None:
        """How many times as often; None where there is not enough to say."""
        if self.shown < LEAST_WITH or self.base_rate <= 0:
            return None
        return self.rate / self.base_rate


@dataclass(frozen=True)
class Measured:
    """The lifts of one measurement, and what they rest on."""

    as_of: BusinessInstant
    customers: int
    looks: int
    left: int
    base_rate: float
    lifts: Mapping[str, Lift]

    def of(self, name: str) -> Lift | None:
        """Return the lift of a signal, None where too few left for any."""
        return self.lifts.get(name) if self.left >= LEAST_LEFT else None


async def read_lift(session: AsyncSession) -> Measured | None:
    """Return the newest measurement."""
    return measured(await read_digest(session, KEY))


def measured(kept: Digest | None) -> Measured | None:
    """Return the measurement that was kept, if there is one."""
    return None if kept is None else _read(kept)


def _read(kept: Digest) -> Measured:
    document = kept.document
    lifts = {name: Lift(**values) for name, values in document["lifts"].items()}
    counts = (document["customers"], document["looks"], document["left"], document["base_rate"])
    return Measured(kept.as_of, *counts, lifts)


async def measure_lift(
    session: AsyncSession, policy: ScoringPolicy, own: tuple[OwnSignal, ...], now: BusinessInstant
) -> Measured:
    """Look at a sample of then as of then, and count who had left 90 days later.

    Those who left are sampled more densely than those who stayed, and every share is weighted back.
    """
    tally = _Tally()
    for back in LOOKS:
        at = BusinessInstant(now - dt.timedelta(days=back))
        people = await _people(session, at)
        found = await Playback(policy, own).look_at(session, sorted(people), at)
        for customer_id, changes in found.items():
            tally.count(people[customer_id], {name_of(one) for one in changes.opened})
    document = tally.document()
    await keep_digest(session, KEY, now, document)
    return _read(Digest(now, document))


@dataclass(frozen=True)
class _Person:
    left: bool
    weight: float
    """How many customers like it stand behind this one."""


class _Tally:
    """Weighted and plain counts, over all looks."""

    def __init__(self) -> None:
        self.looks = self.left = 0
        self.weight = self.weight_left = 0.0
        self.shown: Counter[str] = Counter()
        self.shown_left: Counter[str] = Counter()
        self.weights: dict[str, list[float]] = {}

    def count(self, person: _Person, names: set[str]) -> None:
        """Count one customer at one look."""
        gone = person.weight if person.left else 0.0
        self.looks += 1
        self.left += person.left
        self.weight += person.weight
        self.weight_left += gone
        for name in names:
            self.shown[name] += 1
            self.shown_left[name] += person.left
            sums = self.weights.setdefault(name, [0.0, 0.0])
            sums[0] += person.weight
            sums[1] += gone

    def document(self) -> dict[str, Any]:
        """Return the figures as they are kept."""
        base = self.weight_left / self.weight if self.weight else 0.0
        lifts = {
            name: {
                "shown": self.shown[name],
                "left": self.shown_left[name],
                "rate": sums[1] / sums[0],
                "base_rate": base,
            }
            for name, sums in sorted(self.weights.items())
        }
        counts = {"customers": self.looks // len(LOOKS), "looks": self.looks, "left": self.left}
        return counts | {"base_rate": base, "lifts": lifts}


async def _people(session: AsyncSession, at: BusinessInstant) -> dict[uuid.UUID, _Person]:
    values = {
        "at": at,
        "until": at + dt.timedelta(days=HORIZON_DAYS),
        "most_left": MOST_LEFT,
        "most_stayed": MOST_STAYED,
    }
    rows = (await session.execute(text(_PEOPLE), values)).all()
    return {row.id: _Person(row.gone, row.whole / row.taken) for row in rows}


_PEOPLE = """
SELECT id, gone, whole, LEAST(whole, CASE WHEN gone THEN :most_left ELSE :most_stayed END) AS taken
FROM (
    SELECT id, gone, count(*) OVER (PARTITION BY gone) AS whole,
           row_number() OVER (PARTITION BY gone ORDER BY md5(CAST(id AS text))) AS place
    FROM (
        SELECT id, COALESCE(churned_at <= :until, false) AS gone FROM customers
        WHERE known_at <= :at AND (churned_at IS NULL OR churned_at > :at)
    ) AS there
) AS ranked
WHERE place <= CASE WHEN gone THEN :most_left ELSE :most_stayed END
"""
