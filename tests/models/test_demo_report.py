import datetime as dt

import pytest

from domain.customer_state import Memory
from domain.time import BusinessInstant, WallInstant, start_of_day
from domain.vocabulary import NoticeKind
from models import demo_live, demo_report
from models.clock import StoredClock, start_clock, wall_now
from models.database import Database
from models.demo_people import received_mails, waiting_tasks
from models.facts import store_facts
from models.lifecycles import DecisionMade, claim_rings, store_lifecycle
from models.outbox import Notice, put_notices, take_notices
from models.workflow_faults import Suspect, suspects
from tests.support.facts import CRM, connect, customer

DAY = dt.date(2026, 9, 7)


async def test_an_empty_installation_has_a_report_of_zeros(database: Database) -> None:
    async with database.transaction() as session:
        clock = StoredClock(await start_clock(session, wall_now(), at=start_of_day(DAY)))
        assert await demo_report.lateness(session, clock) == demo_report.Lateness()
        assert await demo_report.lateness(session, clock, wall_now()) == demo_report.Lateness()
        assert await demo_report.count_facts(session, "sample") == 0
        assert await demo_report.count_interventions(session) == {}
        assert await demo_report.count_refusals(session) == {}
        assert await demo_report.count_emails(session) == 0
        assert await demo_report.count_internal_emails(session) == 0
        assert await demo_report.count_recalibrations(session) == 0
        assert await demo_live.count_under_way(session) == 0
        assert await demo_report.most_emails_per_customer_day(session) == 0
        assert (await demo_report.count_rows(session))["customers"] == 0
        assert (await demo_live.live_figures(session)).tiers == {}
        headline = await demo_report.active_after_risk(session, DAY, DAY)
        assert headline["share_active_after_risk"] == {"treated": None, "holdout": None}
        assert await received_mails(session, start_of_day(DAY)) == []
        assert await waiting_tasks(session) == []


async def test_what_has_not_woken_at_all_is_late_too(database: Database) -> None:
    await connect(database)
    async with database.transaction() as session:
        clock = StoredClock(await start_clock(session, wall_now(), at=start_of_day(DAY), rate=0.0))
        await store_facts(session, CRM, [customer()], received_at=wall_now())
        (customer_id,) = await claim_rings(session, wall_now(), clock.now(), 10)
        await take_notices(session, customer_id, wall_now())
        due = BusinessInstant(clock.now() - dt.timedelta(hours=5))
        await store_lifecycle(session, DecisionMade(customer_id, Memory(), 1, {}, due), clock.now())
        late = await demo_report.lateness(session, clock)
    assert (late.wakes, late.p50) == (1, 5.0)


@pytest.mark.parametrize(
    ("kind", "wakes"),
    [(NoticeKind.SIGNAL_OPENED, 1), (NoticeKind.INTERVENTION_ENDED, 0), (NoticeKind.PAYMENT, 0)],
)
async def test_only_a_notice_that_rings_is_late_when_nobody_hears_it(
    database: Database, kind: NoticeKind, wakes: int
) -> None:
    await connect(database)
    wall = wall_now()
    async with database.transaction() as session:
        began = WallInstant(wall - dt.timedelta(hours=10))
        clock = StoredClock(await start_clock(session, began, at=start_of_day(DAY), rate=1.0))
        await store_facts(session, CRM, [customer()], received_at=wall)
        (customer_id,) = await claim_rings(session, wall, clock.now(), 10)
        await take_notices(session, customer_id, wall)
        await store_lifecycle(
            session, DecisionMade(customer_id, Memory(phase="low"), 1, {}, None), clock.now()
        )
        put_at = WallInstant(wall - dt.timedelta(hours=9))
        await put_notices(session, [Notice(customer_id, kind, {}, clock.now())], put_at)
        late = await demo_report.lateness(session, clock)
        asked = await suspects(session, clock.now(), wall)
    assert late.wakes == wakes
    assert late.p50 == pytest.approx(3.0 * wakes, abs=0.1)
    assert asked == [Suspect(customer_id)] * wakes
