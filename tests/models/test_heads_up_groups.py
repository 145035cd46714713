"""Warnings by customer: ranked by the revenue at stake, and handled together."""

import uuid

import pytest
from sqlalchemy import select

from domain.errors import ConflictError, NotFoundError
from domain.time import business
from domain.vocabulary import HeadsUpState, Severity, SignalKind
from models.database import Database
from models.heads_up_groups import acknowledge_group, close_group, list_groups, snooze_group
from models.resources.work import WorkFilter
from models.tables.scoring import SignalRow
from models.tables.work import HeadsUpRow
from models.views.inbox import InboxScope, InboxShow, load_inbox
from tests.support.office import HOURS, Office

pytestmark = pytest.mark.integration


@pytest.fixture
async def office(database: Database) -> Office:
    made = Office(database)
    await made.user("carl")
    for name, arr in (("Calm", 500), ("Grave", 500), ("Large", 90_000)):
        await made.customer(name, "carl", arr=arr)
    await made.warn("Calm", Severity.MEDIUM)
    await made.warn("Large", Severity.INFO)
    await made.warn("Grave", Severity.MEDIUM)
    await made.warn("Grave", Severity.CRITICAL, SignalKind.LOGIN_SILENCE)
    return made


async def states(office: Office, name: str) -> list[HeadsUpState]:
    async with office.database.transaction() as session:
        mine = select(HeadsUpRow.state).where(HeadsUpRow.customer_id == office.customers[name])
        return sorted(await session.scalars(mine))


async def test_groups_are_ranked_by_revenue_and_then_by_the_worst_warning(office: Office) -> None:
    async with office.database.transaction() as session:
        groups, total = await list_groups(session, WorkFilter(), office.now, limit=2)
        page = await load_inbox(session, InboxScope.MINE, InboxShow.DUE, office.users["carl"], office.now)
    assert ([group.customer for group in groups], total) == (["Large", "Grave"], 3)
    assert groups[1].severity is Severity.CRITICAL
    assert [one["severity"] for one in groups[1].heads_ups] == [Severity.CRITICAL, Severity.MEDIUM]
    assert [group.name for group in page.groups] == ["Large", "Grave", "Calm"]
    assert [one.severity for one in page.groups[1].heads_ups] == [Severity.CRITICAL, Severity.MEDIUM]


async def test_a_group_is_acknowledged_and_each_signal_knows_that_a_person_acted(office: Office) -> None:
    async with office.database.transaction() as session:
        assert await acknowledge_group(session, office.customers["Grave"], None, office.now) == 2
        acted = select(SignalRow.first_human_action_at).where(
            SignalRow.customer_id == office.customers["Grave"]
        )
        assert set(await session.scalars(acted)) == {office.now}
    assert await states(office, "Grave") == [HeadsUpState.ACKNOWLEDGED] * 2
    assert await states(office, "Calm") == [HeadsUpState.OPEN]


async def test_what_came_after_somebody_looked_is_not_closed_unseen(office: Office) -> None:
    async with office.database.transaction() as session:
        mine = select(HeadsUpRow.id).where(HeadsUpRow.customer_id == office.customers["Calm"])
        seen = list(await session.scalars(mine))
    await office.warn("Calm", Severity.CRITICAL, SignalKind.LOGIN_SILENCE)
    async with office.database.transaction() as session:
        assert await close_group(session, office.customers["Calm"], seen, "spoke with them", office.now) == 1
    assert await states(office, "Calm") == [HeadsUpState.CLOSED, HeadsUpState.OPEN]
    with pytest.raises(ConflictError, match="none of them is open"):
        async with office.database.transaction() as session:
            await close_group(session, office.customers["Calm"], seen, "again", office.now)


async def test_a_snoozed_group_comes_back(office: Office) -> None:
    until = business(office.now + 5 * HOURS)
    async with office.database.transaction() as session:
        await snooze_group(session, office.customers["Grave"], None, until, office.now)
        away, _ = await list_groups(session, WorkFilter(), office.now, limit=9)
        back, _ = await list_groups(session, WorkFilter(), until, limit=9)
    assert [group.customer for group in away] == ["Large", "Calm"]
    assert [group.customer for group in back] == ["Large", "Grave", "Calm"]


async def test_an_unknown_customer_has_no_group(office: Office) -> None:
    with pytest.raises(NotFoundError):
        async with office.database.transaction() as session:
            await acknowledge_group(session, uuid.uuid4(), None, office.now)
