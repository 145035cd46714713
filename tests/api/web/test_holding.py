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


@pytest.fixture
async def stage(database: Database) -> TrackingStage:
    """An event of a group that nobody knows."""
    async with database.transaction() as session:
        await connect_source(session, Source(PRODUCT, "Product", "tracking", ("usage",), NOW))
    await track(
        database,
        message("group", user="u", group="initech", properties={"name": "<Initech>"}),
        message(user="u", group="initech"),
        received=wall_now(),
    )
    stage = TrackingStage(database, await open_clock(database))
    await stage.run()
    return stage


async def test_a_group_is_linked_to_a_customer_found_by_name_and_unlinked_again(
    browser: Client, database: Database, sample: Sample, stage: TrackingStage
) -> None:
    await come_as(browser, database, sample, "omar")
    async with database.transaction() as session:
        name = await session.scalar(text("SELECT name FROM customers ORDER BY name LIMIT 1"))
    page = await browser.get("/data/holding")
    assert "initech" in page.text
    assert "&lt;Initech&gt;" in page.text
    asked = {"source": PRODUCT, "group": "initech", "q": str(name)[:5]}
    found = await browser.get("/data/holding", params=asked)
    customer = found.text.split('name="customer" value="')[1].split('"')[0]
    form = {"source": PRODUCT, "group": "initech", "_csrf_token": csrf_in(found)}
    linked = await browser.post("/data/holding/link", data=form | {"customer": customer})
    assert "initech is linked" in linked.text
    assert "Linked by people" in linked.text
    await stage.run()
    unlinked = await browser.post("/data/holding/unlink", data=form)
    assert "initech waits again" in unlinked.text


async def test_whoever_may_not_mend_sees_no_traits_and_no_buttons(
    browser: Client, database: Database, sample: Sample, stage: TrackingStage
) -> None:
    assert stage is not None
    await come_as(browser, database, sample, "dev")
    page = await browser.get("/data/holding")
    assert "initech" in page.text
    assert "Initech&gt;" not in page.text
    assert "Create customer" not in page.text
