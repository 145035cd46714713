import datetime as dt

from domain.time import start_of_day
from models import demo_report
from models.clock import start_clock, wall_now
from models.database import Database
from models.demo_people import received_mails, waiting_tasks

DAY = dt.date(2026, 9, 7)


async def test_an_empty_installation_has_a_report_of_zeros(database: Database) -> None:
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=start_of_day(DAY))
        assert await demo_report.lateness(session) == demo_report.Lateness()
        assert await demo_report.lateness(session, wall_now()) == demo_report.Lateness()
        assert await demo_report.count_facts(session, "sample") == 0
        assert await demo_report.count_interventions(session) == {}
        assert await demo_report.count_refusals(session) == {}
        assert await demo_report.count_emails(session) == 0
        assert await demo_report.count_recalibrations(session) == 0
        assert await demo_report.count_under_way(session) == 0
        assert await demo_report.most_emails_per_customer_day(session) == 0
        assert (await demo_report.count_rows(session))["customers"] == 0
        assert (await demo_report.live_figures(session)).tiers == {}
        headline = await demo_report.active_after_risk(session, DAY, DAY)
        assert headline["share_active_after_risk"] == {"treated": None, "holdout": None}
        assert await received_mails(session, start_of_day(DAY)) == []
        assert await waiting_tasks(session) == []
