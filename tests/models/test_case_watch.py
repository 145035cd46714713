import datetime as dt

import pytest
from sqlalchemy import update

from domain.monitoring import Repair, Trouble
from domain.time import after
from domain.vocabulary import WorkflowAction
from models.database import Database
from models.hands import Hand
from models.monitor import load_monitor
from models.repairs import RepairOrder, repair
from models.tables.cases import CaseRow
from models.workflow_faults import Suspect, suspects
from models.workflow_orders import open_orders
from tests.support.cases import OpenCase, open_one

pytestmark = pytest.mark.integration


async def overslept(case: OpenCase) -> None:
    async with case.database.transaction() as session:
        due = after(case.clock.now(), dt.timedelta(hours=-5))
        await session.execute(update(CaseRow).values(expected_wake_at=due))


async def test_a_case_that_sleeps_on_is_found_asked_about_and_looked_at_again(database: Database) -> None:
    case = await open_one(database)
    await overslept(case)
    now, wall = case.clock.now(), case.clock.wall_now()
    hand = Hand("Ada", case.scene.csm_id, now, wall)
    async with database.transaction() as session:
        (finding,) = (await load_monitor(session, now, wall)).of(Trouble.OVERSLEPT_CASE)
        asked = await suspects(session, now, wall)
        await repair(session, finding, RepairOrder(Repair.RESTART_WORKFLOW), hand)
        orders = await open_orders(session)
    assert (finding.case_id, finding.customer) == (case.case_id, "Acme")
    assert Suspect(case.scene.customer_id, None, case.case_id, "dunning/in_1") in asked
    assert [one.workflow_id for one in orders] == ["dunning/in_1"] * 2
    assert WorkflowAction.RESTART in {one.action for one in orders}


async def test_a_case_that_has_ended_is_rung_and_never_started_again(database: Database) -> None:
    case = await open_one(database)
    await overslept(case)
    await case.end()
    async with database.transaction() as session:
        found = await load_monitor(session, case.clock.now(), case.clock.wall_now())
        (order,) = await open_orders(session)
    assert found.of(Trouble.OVERSLEPT_CASE) == []
    assert order.is_over
