import re
import uuid

import pytest
from sqlalchemy import insert

from domain.vocabulary import EffectState
from models.clock import wall_now
from models.database import Database
from models.tables.ledger import EffectRow
from tests.api.web.test_forms import send
from tests.support.people import come_as
from tests.support.sample_rows import Sample
from tests.support.web import Client

pytestmark = pytest.mark.integration
PAGE = "/endpoints"
ONE = {"key": "order-desk", "url": "https://orders.example.com/hooks", "note": "Gifts"}


async def test_an_administrator_adds_an_endpoint_sees_its_secret_once_and_switches_it_off(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    assert "There is none" in (await browser.get(PAGE)).text
    saved = await send(browser, PAGE, PAGE, **ONE)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", saved.text.split("list-name")[0])
    assert saved.status_code == 200
    assert secret is not None
    async with database.transaction() as session:
        await session.execute(
            insert(EffectRow).values(
                key=f"{uuid.uuid4()}/gift/1/order-desk", delivery_id="d", kind="webhook", payload_hash="",
                customer_id=sample.customers[0], state=EffectState.FAILED, attempts=1, claimed_at=wall_now(),
                provider="order-desk", error="it answered 404",
            )
        )  # fmt: skip
    page = (await browser.get(PAGE)).text
    assert secret[0] not in page
    assert ONE["url"] in page
    assert "it answered 404" in page
    again = await send(browser, PAGE, PAGE, **ONE)
    assert "It keeps the secret that it has." in again.text
    off = await send(browser, PAGE, f"{PAGE}/order-desk/disable")
    assert "switched off by a person" in off.text


@pytest.mark.parametrize(
    "change", [{"url": "http://orders.example.com"}, {"key": "Order Desk"}, {"secret": "x"}]
)
async def test_what_cannot_be_an_endpoint_is_shown_again_with_the_reason(
    browser: Client, database: Database, sample: Sample, change: dict[str, str]
) -> None:
    await come_as(browser, database, sample, "ada")
    refused = await send(browser, PAGE, PAGE, **(ONE | change))
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert 'value="Gifts"' in refused.text


async def test_others_read_it_and_change_nothing(browser: Client, database: Database, sample: Sample) -> None:
    await come_as(browser, database, sample, "jonas")
    assert "Add or replace one" not in (await browser.get(PAGE)).text
    assert (await send(browser, PAGE, PAGE, **ONE)).status_code == 403
