"""Replays scoring day by day with what was known then: what would have been said of whom, and who left."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

from activities.training_data import snapshots
from domain.backtest import Gone, Look, Said, Voice
from domain.features import CustomerFeatures
from domain.labels import GRACE, Absence, Relation
from domain.learning_rows import World
from domain.progress import Progress
from domain.time import after
from models.database import Database


async def replay_looks(
    database: Database,
    world: World,
    days: Sequence[dt.date],
    voice_on: Callable[[dt.date], Voice],
    tell: Progress,
) -> dict[dt.date, list[Look]]:
    """Return what the voice of each day says of everybody who was a customer then."""
    found: dict[dt.date, list[Look]] = {}
    for place, day in enumerate(days):
        voice, looks = voice_on(day), found.setdefault(day, [])
        async for rows in snapshots(database, world, day):
            looks += [_look(one, said) for one, said in zip(rows, voice.say(rows), strict=True)]
        tell(f"replayed {day.isoformat()}: {len(looks)} customers", (place + 1) / len(days))
    return found


def _look(features: CustomerFeatures, said: Said) -> Look:
    usage, paid = features.usage, features.commercial
    return Look(
        customer=str(features.customer_id),
        probability=said.probability,
        score=said.score,
        mrr_minor=paid.mrr_minor,
        currency=paid.currency,
        use=usage.month if usage.weeks and features.fresh("usage").is_usable else None,
    )


def begun_on(world: World) -> dt.date:
    """Return the first day of which anything was known: milestones are told with the dates they had."""
    told = [at for kind, at in world.since.items() if kind != "onboarding"]
    return min(told, default=world.known_until).date()


def settled_on(world: World) -> dt.date:
    """Return the last day up to which departures are known for good."""
    return after(world.known_until, -GRACE).date()


def departures(world: World, groups: Mapping[uuid.UUID, str]) -> list[Gone]:
    """Return who has left for good up to the settled day, oldest first."""
    settled = settled_on(world)
    found = [
        gone
        for customer_id, relation in world.relations.items()
        for gone in _gone(customer_id, relation, groups.get(customer_id, ""))
        if gone.on <= settled
    ]
    return sorted(found, key=lambda one: (one.on, one.customer))


def _gone(customer_id: uuid.UUID, relation: Relation, group: str) -> Iterator[Gone]:
    for one in relation.absences():
        yield Gone(str(customer_id), one.since.date(), one.cause.value, _reason(relation, one), group)


def _reason(relation: Relation, absence: Absence) -> str:
    """Return what people said as they left; nothing where a term just ended."""
    said = (one for one in relation.departures if one.occurred_at == absence.since and not one.reactivated)
    return next((one.reason for one in said), "")
