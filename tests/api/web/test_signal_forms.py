"""The catalogue in the browser, without JavaScript."""

import uuid

import pytest
from sqlalchemy import insert

from domain.vocabulary import Segment, SignalKind
from models.database import Database
from models.own_signals import get_own_signal
from models.scores import load_policy
from models.tables.scoring import KindSilenceRow, MassAlertRow
from tests.support.people import come_as
from tests.support.sample_rows import NOW, Sample
from tests.support.web import Client, csrf_in

pytestmark = pytest.mark.integration
PLACE = "/signals/ticket_overdue"
LIMITS = {
    f"{segment}-{level}": value
    for segment in Segment
    for level, value in (("open", "2"), ("close", "1"), ("severe", "5"))
}


async def test_thresholds_are_tried_saved_and_reset(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    form = {"_csrf_token": csrf_in(await browser.get(PLACE)), "enabled": "1", **LIMITS}
    tried = await browser.post(f"{PLACE}/preview", data=form)
    assert "The last 90 days with this" in tried.text
    saved = await browser.post(PLACE, data=form)
    assert "Saved." in saved.text
    async with database.transaction() as session:
        policy = await load_policy(session)
    assert policy.signals[SignalKind.TICKET_OVERDUE].thresholds[Segment.SMALL].open == 2
    wrong = await browser.post(PLACE, data=form | {"small-open": "many"})
    assert "Small, open: &#39;many&#39; is no number" in wrong.text
    await browser.post(PLACE, data=form | {"reset": "1"})
    async with database.transaction() as session:
        assert (await load_policy(session)).signals == {}


async def test_a_signal_is_declared_and_what_is_wrong_with_it_keeps_what_was_typed(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    token = csrf_in(await browser.get("/signals/own"))
    form = {"_csrf_token": token, "key": "open-tickets", "title": "Open tickets", "severity": "high"}
    typed = "field: tickets_opn\nat_least: 1"
    wrong = await browser.post("/signals/own", data=form | {"condition": typed, "enabled": "1"})
    assert "did you mean tickets_open?" in wrong.text
    assert typed in wrong.text
    assert wrong.status_code == 422
    right = typed.replace("opn", "open")
    tried = await browser.post("/signals/own/preview", data=form | {"condition": right})
    assert "The last 90 days with this" in tried.text
    bare = await browser.post("/signals/own/preview", data={"_csrf_token": token})
    assert bare.status_code == 422
    saved = await browser.post("/signals/own", data=form | {"condition": right, "enabled": "1"})
    assert "Open tickets" in saved.text
    async with database.transaction() as session:
        assert (await get_own_signal(session, "open-tickets")).condition["at_least"] == 1
    deleted = await browser.post("/signals/own/open-tickets/delete", data={"_csrf_token": token})
    assert "Deleted." in deleted.text


async def test_silence_and_what_is_held_back_stand_on_every_page(
    browser: Client, database: Database, sample: Sample
) -> None:
    async with database.transaction() as session:
        await session.execute(
            insert(KindSilenceRow).values(kind="usage", since=NOW, sources=["Sample CRM"], noticed_at=NOW)
        )
        row = {"kind": "usage_drop", "state": "held", "expected": 11, "active": 12, "opened_at": NOW}
        await session.execute(insert(MassAlertRow).values(id=uuid.uuid4(), **row))
    await come_as(browser, database, sample, "marta")
    page = (await browser.get("/inbox")).text
    assert "Usage from Sample CRM: silent since" in page
    assert "10 signals abstain (usage drop, login silence, feature drop off, limit proximity …)" in page
    assert "Usage drop at about 11 of 12 customers at once" in page
    released = csrf_in(await browser.get("/signals"))
    assert released
    assert "Abstains: no usage" in (await browser.get("/signals")).text
