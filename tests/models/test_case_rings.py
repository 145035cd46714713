import datetime as dt

import pytest
from sqlalchemy import update

from domain.time import BusinessInstant, after
from domain.vocabulary import NoticeKind, WorkflowAction
from models.case_rings import ring_cases_for
from models.clock_rings import ring_those_who_wake_soon
from models.database import Database
from models.lifecycles import claim_rings
from models.outbox import Notice, take_notices
from models.tables.cases import CaseRow
from models.workflow_orders import open_orders
from tests.support.cases import OpenCase, open_one

pytestmark = pytest.mark.integration


async def hears(case: OpenCase, kind: NoticeKind, *, has_left: bool = False) -> list[WorkflowAction]:
    """Tell the customer's open cases of news; return what the case's workflow is ordered to do for it."""
    now, wall = case.clock.now(), case.clock.wall_now()
    async with case.database.transaction() as session:
        known = {one.id for one in await open_orders(session)}
        news = [Notice(case.scene.customer_id, kind, {}, now)]
        await ring_cases_for(session, case.scene.customer_id, news, wall, has_left=has_left)
        return [one.action for one in await open_orders(session) if one.id not in known]


@pytest.mark.parametrize("hours", [1, 48])
async def test_a_new_pace_rings_a_case_that_wakes_soon_and_leaves_others_asleep(
    database: Database, hours: int
) -> None:
    case = await open_one(database)
    now, wall = case.clock.now(), case.clock.wall_now()
    async with database.transaction() as session:
        due = after(now, dt.timedelta(hours=hours))
        await session.execute(update(CaseRow).values(expected_wake_at=due))
        for customer_id in await claim_rings(session, wall, now, 10):
            await take_notices(session, customer_id, wall)
        rung = await ring_those_who_wake_soon(
            session, now, wall, before=BusinessInstant(now + dt.timedelta(hours=24)), since=wall
        )
    assert rung == (1 if hours == 1 else 0)
    assert await hears(case, NoticeKind.CLOCK_CHANGED) == [WorkflowAction.RING]


async def test_what_does_not_concern_a_case_lets_it_sleep(database: Database) -> None:
    case = await open_one(database)
    assert await hears(case, NoticeKind.SILENCE, has_left=True) == []
    assert await hears(case, NoticeKind.CONSENT_CHANGED) == []
    assert await hears(case, NoticeKind.CONSENT_CHANGED, has_left=True) == [WorkflowAction.RING]
