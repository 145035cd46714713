"""Gathers what models learn from: everybody who was live on each of a row of dates, and what followed."""

import datetime as dt
from array import array
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum

from domain.features import CustomerFeatures
from domain.labels import GRACE, expansion_label, renewal_label
from domain.learning_rows import DAY, NEVER, Outcome, Sample, World, within
from domain.model_features import COLUMNS, column_named, own_names, vector
from domain.time import BusinessInstant, after, start_of_day
from models.database import Database
from models.relations import first_start, load_relations
from models.snapshots import load_snapshot, ordered, popular_features, told_since

BATCH = 500
FIRST_DAYS = 90
"""Days of history before the first snapshot."""
RENEWS_WITHIN = 45
"""Days before the end of its period from which a customer's renewal is asked about."""


class Target(StrEnum):
    """What is learned."""

    CHURN_30 = "churn_30d"
    CHURN_60 = "churn_60d"
    CHURN_90 = "churn_90d"
    EXPANSION_60 = "expansion_60d"
    RENEWAL = "renewal"

    @property
    def horizon(self) -> int:
        """Days within which it happens."""
        return RENEWS_WITHIN + GRACE.days if self is Target.RENEWAL else int(self.split("_")[1].rstrip("d"))

    @property
    def is_churn(self) -> bool:
        """Whether it is about leaving."""
        return self.startswith("churn")


async def open_world(database: Database, known_until: BusinessInstant, learn_until: BusinessInstant) -> World:
    """Read everybody's relation, and which columns there are: by what was used until `learn_until`."""
    async with database.transaction() as session:
        relations = await load_relations(session)
        own = own_names(await popular_features(session, learn_until))
        since = await told_since(session)
    codes = {customer_id: place for place, customer_id in enumerate(sorted(relations))}
    columns = (*COLUMNS, *(column_named(name) for name in own))
    return World(relations, codes, since, columns, known_until)


async def month_starts(database: Database, until: dt.date) -> list[dt.date]:
    """Return the first of each month from three months after the first customer, up to a date."""
    async with database.transaction() as session:
        start = await first_start(session)
    if start is None:
        return []
    day = (after(start, FIRST_DAYS * DAY)).date()
    month = dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)
    found = []
    while month <= until:
        found.append(month)
        month = dt.date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return found


async def gather(
    database: Database, world: World, target: Target, dates: Sequence[dt.date]
) -> AsyncIterator[list[Sample]]:
    """Yield the samples of each date; each customer that was live then is one row."""
    for date in dates:
        rows = [
            sample_of(world, one, _outcome(world, target, one))
            async for batch in snapshots(database, world, date)
            for one in batch
            if _is_asked(target, one)
        ]
        if rows:
            yield rows


async def snapshots(database: Database, world: World, date: dt.date) -> AsyncIterator[list[CustomerFeatures]]:
    """Yield what was known on a date of those who were live then, a batch at a time.

    Whom nobody knew of by then is left out: they stayed until they were told of, and teach nothing else.
    """
    as_of = start_of_day(date)
    live = ordered([key for key, one in world.relations.items() if one.is_live_at(as_of)])
    for start in range(0, len(live), BATCH):
        async with database.transaction() as session:
            rows = await load_snapshot(session, live[start : start + BATCH], as_of, world.since)
        yield [one for one in rows if one.known_on <= date]


def _is_asked(target: Target, features: CustomerFeatures) -> bool:
    if target is not Target.RENEWAL:
        return True
    days = features.commercial.period_days
    return days is not None and 0 < days <= RENEWS_WITHIN


def sample_of(world: World, features: CustomerFeatures, outcome: Outcome) -> Sample:
    """Return a customer on the date of its features, with what became of it."""
    return Sample(
        customer=world.codes[features.customer_id],
        as_of=features.as_of.date(),
        values=values_of(world, features),
        yearly=12 * features.commercial.mrr,
        outcome=outcome,
    )


def values_of(world: World, features: CustomerFeatures) -> Sequence[float]:
    """Return a customer's columns as 32-bit floats, which is what models see of them."""
    return array("f", vector(features, world.columns))


def _outcome(world: World, target: Target, features: CustomerFeatures) -> Outcome:
    relation, as_of = world.relations[features.customer_id], features.as_of
    if target.is_churn:
        settled = after(world.known_until, -GRACE)
        gone = relation.left_within(as_of, settled)
        return Outcome(NEVER if gone is None else (gone.since - as_of) / DAY, (settled - as_of) / DAY)
    if target is Target.RENEWAL:
        ends = after(as_of, dt.timedelta(days=features.commercial.period_days or 0))
        return within(renewal_label(relation, ends, world.known_until).value, target.horizon)
    return within(expansion_label(relation, as_of, target.horizon, world.known_until).value, target.horizon)
