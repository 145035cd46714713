import datetime as dt

import pytest

from domain.customer_state import Memory
from domain.time import start_of_day
from domain.vocabulary import NoticeKind
from models.clock import start_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.lifecycles import DecisionMade, claim_rings, store_lifecycle
from models.outbox import Notice, put_notices, take_notices
from tests.support.facts import CRM, connect, customer

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
