"""The page of a contact: identities and memberships, and the forms that change them."""

import pytest
from sqlalchemy import text

from models.clock import open_clock, wall_now
from models.database import Database
from models.sources import Source, connect_source
from tests.support.people import come_as
from tests.support.sample_rows import NOW, Sample
from tests.support.tracked import PRODUCT, message, track
from tests.support.web import Client, csrf_in
from workers.tracking_stage import TrackingStage

pytestmark = pytest.mark.integration
ONE = """
SELECT contact_id, customer_id FROM contact_roles WHERE until IS NULL ORDER BY customer_id, contact_id LIMIT 1
"""


async def test_a_user_is_linked_and_a_membership_added_and_ended_on_the_page(
    browser: Client, database: Database, sample: Sample
) -> None:
    async with database.transaction() as session:
        await connect_source(session, Source(PRODUCT, "Product", "tracking", ("usage",), NOW))
        contact, customer = (await session.execute(text(ONE))).one()
        other = (
            await session.execute(
                text("SELECT id, name FROM customers WHERE id <> :id LIMIT 1"), {"id": customer}
            )
        ).one()
    await track(database, message(user="<u9>"), received=wall_now())
    await TrackingStage(database, await open_clock(database)).run()
    await come_as(browser, database, sample, "omar")
    assert f"/contacts/{contact}" in (await browser.get(f"/customers/{customer}")).text
    page = await browser.get(f"/contacts/{contact}", params={"q": other.name})
    assert f'value="{other.id}"' in page.text
    token = {"_csrf_token": csrf_in(page)}
    place = f"/contacts/{contact}"
    user = token | {"source": PRODUCT, "user": "<u9>"}
    linked = await browser.post(f"{place}/link", data=user)
    assert "&lt;u9&gt; is linked." in linked.text
    assert "is unlinked." in (await browser.post(f"{place}/unlink", data=user)).text
    there = token | {"customer": str(other.id), "role": "admin"}
    added = await browser.post(f"{place}/begin", data=there | {"since": "2026-01-31"})
    assert "They belong there now." in added.text
    ended = await browser.post(f"{place}/end", data=there)
    assert "no source takes it up again" in ended.text
    again = await browser.post(f"{place}/end", data=there)
    assert "no such role there now" in again.text
    wrong = await browser.post(f"{place}/begin", data=there | {"since": "soon"})
    assert "write the day as" in wrong.text


async def test_whoever_may_not_mend_sees_no_forms(
    browser: Client, database: Database, sample: Sample
) -> None:
    async with database.transaction() as session:
        contact, _ = (await session.execute(text(ONE))).one()
    await come_as(browser, database, sample, "dev")
    page = await browser.get(f"/contacts/{contact}")
    assert "Belongs to" in page.text
    assert f'action="/contacts/{contact}/' not in page.text
