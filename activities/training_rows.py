"""What one training looks at: everybody on each date, kept date by date until all are there."""

import datetime as dt
import hashlib
import uuid
from dataclasses import replace

from activities.training_data import open_world, snapshots, values_of
from domain.learning_port import Gathered
from domain.learning_rows import Snapshot, World
from domain.risk import RiskModel
from domain.time import BusinessInstant
from models.database import Database
from models.trainings import kept_dates, load_part

MOST_CUSTOMERS = 20_000
"""Customers that one training looks at: more teach it little more, and cost hours."""


async def open_sampled_world(database: Database, known_until: BusinessInstant) -> World:
    """Return the world of a training: of a large portfolio a part, always the same, by a hash of the id."""
    world = await open_world(database, known_until, known_until)
    kept = sorted(world.relations, key=_code)[:MOST_CUSTOMERS]
    return replace(
        world, relations={one: world.relations[one] for one in kept}, codes={one: _code(one) for one in kept}
    )


def _code(customer_id: uuid.UUID) -> int:
    """Return a number for a customer that stays the same whoever else comes or goes."""
    return int.from_bytes(hashlib.blake2b(customer_id.bytes, digest_size=8).digest()) >> 1


async def look_at(database: Database, world: World, card: RiskModel, date: dt.date) -> list[Snapshot]:
    """Look at everybody who was live on a date, as known then, with what the scorecard said."""
    return [
        Snapshot(
            customer_id=one.customer_id,
            as_of=one.as_of.date(),
            values=values_of(world, one),
            yearly=12 * one.commercial.mrr,
            segment=one.segment,
            by_card=said.churn_probability,
        )
        async for batch in snapshots(database, world, date)
        for one, said in zip(batch, card.assess_all(batch), strict=True)
    ]


async def load_gathered(database: Database, world: World, key: str) -> Gathered:
    """Return everything that a training has looked at."""
    async with database.transaction() as session:
        dates = sorted(await kept_dates(session, key))
    kept = []
    for date in dates:
        async with database.transaction() as session:
            kept.append(await load_part(session, key, date))
    return Gathered(world, tuple(kept))
