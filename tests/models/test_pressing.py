import datetime as dt

import pytest

from domain.customer_state import Memory
from domain.time import start_of_day
from domain.vocabulary import NoticeKind, SignalKind
from models.clock import start_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.lifecycles import DecisionMade, claim_rings, store_lifecycle
from models.outbox import Notice, put_notices, take_notices
from models.playbooks import load_library
from tests.support.facts import CRM, connect, customer
from tests.support.scenario import Scenario
from workers.library import LIBRARY

START = start_of_day(dt.date(2026, 9, 7))


@pytest.mark.parametrize(
    ("kind", "rings"),
    [
        (NoticeKind.SIGNAL_OPENED, 1),
        (NoticeKind.TASK_DONE, 1),
        (NoticeKind.TOUCHPOINT, 0),
        (NoticeKind.PAYMENT, 0),
    ],
)
async def test_everyday_news_of_a_customer_without_a_run_waits_until_the_workflow_looks(
    database: Database, kind: NoticeKind, rings: int
) -> None:
    await connect(database)
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=START, rate=0.0)
        await store_facts(session, CRM, [customer()], received_at=wall_now())
        (customer_id,) = await claim_rings(session, wall_now(), START, 10)
        await take_notices(session, customer_id, wall_now())
        await store_lifecycle(session, DecisionMade(customer_id, Memory(), 1, {}, None), START)
        await put_notices(session, [Notice(customer_id, kind, {}, START)], wall_now())
        assert await claim_rings(session, wall_now(), START, 10) == [customer_id] * rings
        assert [notice.kind for notice in await take_notices(session, customer_id, wall_now())] == [kind]


@pytest.mark.parametrize(
    ("memory", "has_signal", "rings"),
    [
        (Memory(phase="low"), False, 0),
        (Memory(phase="unscored"), False, 0),
        (Memory(phase="high"), False, 1),
        (Memory(phase="low", refused={"stay-in-touch": "already_open"}), False, 1),
        (Memory(phase="low"), True, 1),
    ],
)
async def test_the_end_of_a_run_rings_where_something_is_open_or_was_refused(
    database: Database, memory: Memory, rings: int, *, has_signal: bool
) -> None:
    scene = await Scenario(database, START).begin()
    if has_signal:
        await scene.open_signal(SignalKind.USAGE_DROP, START)
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=START, rate=0.0)
        await take_notices(session, scene.customer_id, wall_now())
        await store_lifecycle(session, DecisionMade(scene.customer_id, memory, 1, {}, None), START)
        await put_notices(
            session, [Notice(scene.customer_id, NoticeKind.INTERVENTION_ENDED, {}, START)], wall_now()
        )
        assert await claim_rings(session, wall_now(), START, 10) == [scene.customer_id] * rings


@pytest.mark.parametrize(
    ("memory", "kind", "rings"),
    [
        (Memory(phase="low"), SignalKind.FEATURE_DROP_OFF, 0),
        (Memory(phase="low", refused={"none": "no_playbook"}), SignalKind.FEATURE_DROP_OFF, 0),
        (Memory(phase="low", refused={"value-conversation": "past_due"}), SignalKind.FEATURE_DROP_OFF, 1),
        (Memory(phase="high"), SignalKind.FEATURE_DROP_OFF, 1),
        (Memory(phase="low"), SignalKind.TICKET_OVERDUE, 1),
    ],
)
async def test_the_end_of_a_signal_rings_where_something_may_follow_from_it(
    database: Database, memory: Memory, kind: SignalKind, rings: int
) -> None:
    scene = await Scenario(database, START).begin()
    async with database.transaction() as session:
        await load_library(session, LIBRARY, START)  # one of its playbooks opens when a ticket's trouble ends
        await start_clock(session, wall_now(), at=START, rate=0.0)
        await take_notices(session, scene.customer_id, wall_now())
        await store_lifecycle(session, DecisionMade(scene.customer_id, memory, 1, {}, None), START)
        told = Notice(scene.customer_id, NoticeKind.SIGNAL_RESOLVED, {"kind": kind.value}, START)
        await put_notices(session, [told], wall_now())
        assert await claim_rings(session, wall_now(), START, 10) == [scene.customer_id] * rings
