import re

import pytest
from sqlalchemy import func, select, update

from domain.notifications import MailChoice
from domain.vocabulary import HeadsUpState
from models.database import Database
from models.notifications import load_preferences
from models.tables.work import HeadsUpRow
from tests.api.web.test_forms import send
from tests.support.people import come_as
from tests.support.sample_rows import Sample
from tests.support.web import Client

pytestmark = pytest.mark.integration
PAGE = "/me/notifications"
CHOSEN = {"critical": "at_once", "high": "digest", "medium": "never", "info": "never"}


async def test_people_choose_by_severity_and_say_when_they_are_back(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get(PAGE)).text
    assert re.search(r'name="high" value="at_once" required checked', page)
    saved = await send(browser, PAGE, PAGE, **CHOSEN, back_on="2026-11-30")
    assert "Saved." in saved.text
    assert 'value="2026-11-30"' in saved.text
    async with database.transaction() as session:
        kept = await load_preferences(session, sample.users["jonas"])
    assert (kept.choices.high, kept.choices.info) == (MailChoice.DIGEST, MailChoice.NEVER)
    assert kept.away_until is not None


@pytest.mark.parametrize("wrong", [{"high": "now"}, {"back_on": "soon"}, {"back_on": "2026-01-01"}])
async def test_a_form_that_makes_no_sense_changes_nothing(
    browser: Client, database: Database, sample: Sample, wrong: dict[str, str]
) -> None:
    await come_as(browser, database, sample, "jonas")
    said = await send(browser, PAGE, PAGE, **(CHOSEN | wrong))
    assert "Choose one for each severity, and a day in the next year." in said.text
    async with database.transaction() as session:
        assert (await load_preferences(session, sample.users["jonas"])).choices.high is MailChoice.AT_ONCE


async def test_the_api_keeps_the_same_choices(browser: Client, database: Database, sample: Sample) -> None:
    await come_as(browser, database, sample, "jonas")
    await send(browser, PAGE, PAGE, **CHOSEN)
    assert (await browser.get("/api/me/notifications")).json() == {**CHOSEN, "away_until": None}


async def test_the_warnings_of_a_customer_are_closed_together_from_the_inbox(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    async with database.transaction() as session:
        first = (await session.scalars(select(HeadsUpRow).order_by(HeadsUpRow.id).limit(1))).one()
        everything = update(HeadsUpRow).where(HeadsUpRow.state != HeadsUpState.CLOSED)
        await session.execute(
            everything.values(
                customer_id=first.customer_id,
                dedupe_key=func.concat("one/", HeadsUpRow.id),
                state=HeadsUpState.OPEN,
                snoozed_until=None,
            )
        )
    page = (await browser.get("/inbox?of=all")).text
    action = f"/inbox/customers/{first.customer_id}/heads-ups/close"
    form = page.partition(f'action="{action}"')[2].partition("</form>")[0]
    shown = re.findall(r'name="heads_up" value="([0-9a-f-]+)"', form)
    assert len(shown) > 1
    said = await send(browser, "/inbox?of=all", action, heads_up=shown)  # type: ignore[arg-type]  # repeated
    assert f"{len(shown)} warnings closed." in said.text
    async with database.transaction() as session:
        left = select(func.count()).where(HeadsUpRow.state != HeadsUpState.CLOSED)
        assert await session.scalar(left) == 0
