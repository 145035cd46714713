"""What opens and clicks say of a person, weighed anew with each: a scanner shows only in the whole."""

import datetime as dt

from sqlalchemy import select

from domain.delivery_events import DeliveryEventKind
from domain.delivery_rules import touchpoints_before
from domain.machine_reactions import Reaction, by_programs, reached
from domain.time import BusinessInstant, WallInstant, wall
from domain.timeline import Timeline
from domain.vocabulary import TouchpointState
from models.clock import is_compressed, load_timeline
from models.database import Session
from models.tables.ledger import ProviderEventRow, TouchpointRow
from models.touch_states import move_touchpoint

WEIGHED = frozenset({DeliveryEventKind.DELIVERED, DeliveryEventKind.OPENED, DeliveryEventKind.CLICKED})
"""Events with which the judgement may change."""
BY_PERSONS = (TouchpointState.OPENED, TouchpointState.CLICKED)


async def weigh_reactions(session: Session, delivery_id: str, effect_key: str, at: WallInstant) -> None:
    """Give the touchpoint the state that the person's own doings reach; the effect's row is locked.

    An open that turns out to be a scanner's is taken back: the touchpoint is delivered again.
    """
    reactions, programs = await _judged(session, delivery_id)
    state = reached(reactions, programs)
    mine = TouchpointRow.effect_key == effect_key
    too_far = BY_PERSONS if state is None else BY_PERSONS[BY_PERSONS.index(state) + 1 :]
    if too_far:
        fallen = (mine, TouchpointRow.state.in_(too_far))
        await move_touchpoint(session, fallen, state or TouchpointState.DELIVERED, at)
    if state is not None:
        earlier = TouchpointRow.state.in_(touchpoints_before(state))
        await move_touchpoint(session, (mine, earlier), state, at)


async def by_programs_of(session: Session, delivery_id: str) -> frozenset[str]:
    """Return the ids of the events of a message that a program caused."""
    return (await _judged(session, delivery_id))[1]


async def _judged(session: Session, delivery_id: str) -> tuple[list[Reaction], frozenset[str]]:
    timeline = await load_timeline(session)
    row = ProviderEventRow
    kinds = [each.value for each in WEIGHED]
    mine = (row.delivery_id == delivery_id, row.kind.in_(kinds))
    found = (await session.execute(select(row.event_id, row.kind, row.body).where(*mine))).all()
    reactions = [_reaction(each.event_id, each.kind, each.body, timeline) for each in found]
    knows_time = timeline is None or not is_compressed(timeline)
    return reactions, by_programs(reactions, knows_time=knows_time)


def _reaction(event_id: str, kind: str, body: dict[str, object], timeline: Timeline | None) -> Reaction:
    seen = wall(dt.datetime.fromisoformat(str(body["occurred_at"])))
    at = timeline.business_at(seen) if timeline is not None else BusinessInstant(seen)
    url, is_machine = str(body.get("url") or ""), bool(body.get("is_machine"))
    return Reaction(event_id, DeliveryEventKind(kind), at, url, is_machine)
