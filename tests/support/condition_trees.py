"""Random conditions and random customers that they can be asked of; the values are few, so that they meet."""

import datetime as dt
import random
import uuid
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.condition_words import ORDERED
from domain.durations import write_duration
from domain.field_shape import Place
from domain.fields import FIELDS, NUMBERS, fields_known_in, fields_with_history
from domain.fields_measured import MEASURED
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import (
    CustomerStatus,
    HealthStatus,
    RiskTier,
    Segment,
    Severity,
    SignalKind,
    SignalState,
    TouchTier,
)
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import UsageDailyRow
from models.tables.people import UserRow
from models.tables.scoring import CustomerValuesRow, FieldPointRow, SignalRow
from models.tables.tracking import MetricRow

NOW = BusinessInstant(dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC))
"""Within the night in which clocks of Europe go forward."""
NUMBERS_MET = (-30, -1, 0, 0.5, 1, 2, 29, 30, 31, 100)
TEXTS_MET = ("Scale", "scale", "Starter", "", "USD", "JPY", "DE")
SPANS = (dt.timedelta(minutes=1), dt.timedelta(hours=12), dt.timedelta(days=1), dt.timedelta(days=30))
NAMES = ("Report Exported", "report exported", "page:Home", "Storage", "Megabytes", "Never")
SIGNALS = ("usage_drop", "feature_drop_off", "own:quiet", "own:loud")
CUSTOMER_FIELDS = sorted(fields_known_in(Place.CUSTOMER))
SOURCE = "sample"


def values_met(name: str) -> list[Any]:
    """What a field is, and is compared with."""
    field = FIELDS[name]
    if field.words:
        return list(field.words)
    if field.type is bool:
        return [True, False]
    return list(NUMBERS_MET) if field.type in NUMBERS else list(TEXTS_MET)


@st.composite
def comparisons(draw: st.DrawFn, names: Iterable[str] = CUSTOMER_FIELDS) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(names)))
    ordered = sorted(ORDERED) if FIELDS[name].type in NUMBERS else []
    op = draw(st.sampled_from(["is", "is_not", "one_of", *ordered]))
    value = st.sampled_from(values_met(name) + ([] if op in ORDERED else [None]))
    return {"field": name, op: draw(st.lists(value, max_size=3) if op == "one_of" else value)}


@st.composite
def lasting(draw: st.DrawFn) -> dict[str, Any]:
    span = draw(st.sampled_from(SPANS))
    return draw(comparisons(fields_with_history())) | {"for": write_duration(span)}


performed = st.builds(
    lambda name, op, times, days: {"performed": name, op: times, "within": f"{days}d"},
    st.sampled_from(NAMES),
    st.sampled_from(["at_least", "at_most", "more_than", "less_than", "is"]),
    st.sampled_from([0, 1, 2, 3, 5]),
    st.sampled_from([1, 2, 30]),
)
signals = st.builds(
    lambda name, span: {"signal": name} | ({"for": write_duration(span)} if span else {}),
    st.sampled_from(SIGNALS),
    st.sampled_from([None, *SPANS]),
)
trees = st.recursive(
    st.one_of(comparisons(), lasting(), performed, signals),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)


def ago(span: dt.timedelta) -> BusinessInstant:
    return BusinessInstant(NOW - span)


class Crowd:
    """Customers whose every column is drawn, with everything that clauses look at."""

    def __init__(self, dice: random.Random, size: int) -> None:
        self.dice = dice
        self.ids = [uuid.UUID(int=dice.getrandbits(128)) for _ in range(size)]

    def maybe(self, *choices: Any) -> Any:
        """One of these, or nothing."""
        return self.dice.choice([None, *choices])

    def instant(self) -> BusinessInstant:
        """An instant at, just before or just after the edge of a span, or further off."""
        edge = self.dice.choice([*SPANS, dt.timedelta(days=100)])
        return ago(edge + self.dice.choice([-1, 0, 1]) * dt.timedelta(microseconds=1))

    def day(self) -> dt.date:
        return (NOW + dt.timedelta(days=self.dice.choice([-31, -30, -29, -2, -1, 0, 1, 30, 60]))).date()

    async def settle(self, session: AsyncSession) -> None:
        """Write all of it."""
        owner = await self._surroundings(session)
        await session.execute(insert(CustomerRow), [self._customer(one, owner) for one in self.ids])
        for table, rows in (
            (CustomerValuesRow, self._values()),
            (FieldPointRow, self._points()),
            (UsageDailyRow, self._usage()),
            (SignalRow, self._signals()),
        ):
            if rows:
                await session.execute(insert(table), rows)

    async def _surroundings(self, session: AsyncSession) -> uuid.UUID:
        owner = uuid.UUID(int=1)
        source = {"id": SOURCE, "name": SOURCE, "kind": "sample", "provides": [], "rhythm_hours": 24}
        await session.execute(insert(SourceRow).values(connected_at=NOW, **source))
        user = {"email": "a@example.com", "name": "A", "role": "csm", "time_zone": "UTC"}
        await session.execute(insert(UserRow).values(id=owner, created_at=WallInstant(NOW), **user))
        metrics: list[dict[str, Any]] = [
            {"feature": "Storage", "kind": "gauge", "property": "gb"},
            {"feature": "Megabytes", "kind": "counter", "property": "mb"},
            {"feature": "page:Home", "kind": "counter", "property": None},
        ]
        await session.execute(insert(MetricRow), metrics)
        return owner

    def _customer(self, key: uuid.UUID, owner: uuid.UUID) -> dict[str, Any]:
        dice = self.dice
        return {
            "id": key,
            "source_id": SOURCE,
            "external_id": str(key),
            "content_hash": "0",
            "name": "A customer",
            "country": self.maybe("DE"),
            "industry": self.maybe("", "Scale"),
            "employees": self.maybe(0, 30, 100),
            "segment": dice.choice(list(Segment)),
            "plan": self.maybe("Scale", "scale", "Starter", ""),
            "arr_minor": dice.choice([0, 1, 30, 50, 100, 3000, 10_000]),
            "currency": dice.choice(["USD", "JPY"]),
            "touch_tier": dice.choice(list(TouchTier)),
            "touch_tier_override": self.maybe(*TouchTier),
            "csm_id": self.maybe(owner),
            "status": dice.choice(list(CustomerStatus)),
            "started_at": self.maybe(self.instant(), BusinessInstant(NOW + dt.timedelta(days=2))),
            "renewal_on": self.maybe(self.day()),
            "notice_days": dice.choice([0, 30]),
            "churned_at": self.maybe(self.instant()),
            "known_at": self.instant(),
            "do_not_contact": dice.choice([True, False]),
            "acted_tier": self.maybe(*RiskTier),
            "churn_risk_tier": self.maybe(*RiskTier),
            "churn_risk_score": self.maybe(0, 30, 100),
            "churn_probability": self.maybe(0.0, 0.5, 1.0),
            "health_score": self.maybe(0, 29, 30, 100),
            "health_status": self.maybe(*HealthStatus),
            "health_override": self.maybe(*HealthStatus),
            "health_override_until": self.maybe(NOW, self.instant(), BusinessInstant(NOW + SPANS[0])),
            "last_touch_at": self.maybe(self.instant()),
            "last_usage_on": self.maybe(self.day()),
        }

    def _values(self) -> list[dict[str, Any]]:
        return [
            {
                "customer_id": key,
                "scored_at": self.dice.choice([self.instant(), BusinessInstant(NOW + SPANS[2])]),
                "fields": {name: self._measured(name) for name in MEASURED if self.dice.random() < 0.9},
            }
            for key in self.ids
            if self.dice.random() < 0.8
        ]

    def _measured(self, name: str) -> Any:
        met = self.maybe(*values_met(name))
        return int(met) if FIELDS[name].type is int and met is not None else met

    def _points(self) -> list[dict[str, Any]]:
        found = []
        for key in self.ids:
            for name in fields_with_history():
                for since in {self.instant() for _ in range(self.dice.choice([0, 1, 2, 4]))}:
                    value = self.maybe(*(FIELDS[name].words or FIELDS["tier"].words))
                    found.append({"customer_id": key, "field": name, "since": since, "value": value})
        return found

    def _usage(self) -> list[dict[str, Any]]:
        days = {(key, self.day(), self.dice.choice(NAMES)) for key in self.ids for _ in range(4)}
        return [
            {
                "customer_id": key,
                "day": day,
                "feature": name,
                "events": self.dice.choice([1, 2]),
                "quantity": self.dice.choice([0.0, 0.5, 1.0, 3.0]),
            }
            for key, day, name in sorted(days)
        ]

    def _signals(self) -> list[dict[str, Any]]:
        rows = []
        for key in self.ids:
            for place in range(self.dice.choice([0, 1, 3])):
                name = self.dice.choice(SIGNALS)
                is_own = name.startswith("own:")
                states = [SignalState.RESOLVED] if is_own and place else list(SignalState)
                rows.append(
                    {
                        "id": uuid.UUID(int=self.dice.getrandbits(128)),
                        "customer_id": key,
                        "kind": SignalKind.OWN if is_own else SignalKind(name),
                        "dedupe_key": name if is_own else f"{name}:{place}",
                        "severity": Severity.MEDIUM,
                        "state": self.dice.choice(states),
                        "title": "T",
                        "evidence": {},
                        "is_baseline": self.dice.choice([True, False]),
                        "opened_at": self.instant(),
                        "updated_at": NOW,
                    }
                )
        return rows
