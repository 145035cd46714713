"""The page that letters of cases lead to, with a simulated Stripe behind it."""

import datetime as dt
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, select, update

from domain.case_vocabulary import CaseOutcome, OfferState
from domain.time import after
from domain.vocabulary import CustomerStatus, TouchpointState
from models.database import Database
from models.tables.connections import ConnectionRow
from models.tables.customers import ContactRoleRow, CustomerRow
from models.tables.facts import InvoiceRow
from models.tables.ledger import ProviderEventRow, TouchpointRow
from models.tables.runs import OfferRow
from tests.support.at_stripe import (
    LINKS,
    NOON,
    CaseAtStripe,
    StripeBeside,
    be_noon,
    end_case,
    left,
    owing,
    stripe_beside,
)
from tests.support.simulators import until_true
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration
BUTTON = re.compile(r'name="way" value="(\w+)"')


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[StripeBeside]:
    with stripe_beside(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(database: Database, database_url: str) -> AsyncIterator[Client]:
    await be_noon(database)
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["accept"] = "text/html"
        yield opened


async def press(client: Client, case: CaseAtStripe, way: str) -> httpx.Response:
    return await client.post(case.url(), data={"way": way}, follow_redirects=False)


async def states(database: Database) -> list[TouchpointState]:
    async with database.transaction() as session:
        return list(await session.scalars(select(TouchpointRow.state)))


async def test_looking_at_an_invoice_says_what_it_is_for_and_asks_the_provider_nothing(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await owing(database, stripe)
    stripe.asked()
    for method in ("GET", "HEAD"):
        answer = await client.request(method, case.url(), headers={"User-Agent": "a mail scanner"})
        assert answer.status_code == 200
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
    page = (await client.get(case.url())).text
    assert "Pay invoice R-117, or enter another card" in page
    assert "€100.00" in page
    assert "Acme &amp; Söhne" in page
    assert BUTTON.findall(page) == ["pay", "card"]
    assert stripe.asked() == []
    assert await states(database) == [TouchpointState.SENT]
    async with database.transaction() as session:
        assert (await session.scalars(select(ProviderEventRow))).all() == []


async def test_a_button_leads_to_a_page_of_the_provider_that_works(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await owing(database, stripe)
    portal = await press(client, case, "card")
    assert portal.status_code == 303
    place = portal.headers["location"]
    assert place.startswith(f"{stripe.url}/hosted/portal/")
    assert stripe.http.get(place).is_success
    entered = stripe.http.post(f"{place}/card", data={"card": "pm_card_mastercard"}, follow_redirects=True)
    assert "4444" in entered.text
    till = await press(client, case, "pay")
    assert till.headers["location"] == f"{stripe.url}/hosted/invoices/{case.made['invoice']}"
    paid = stripe.http.post(
        f"{till.headers['location']}/pay", data={"card": "on_file"}, follow_redirects=True
    )
    assert paid.is_success
    again = await press(client, case, "pay")
    assert again.status_code == 200
    assert "Invoice R-117 is paid" in again.text, "the provider knows before we do"


async def test_a_press_is_a_click_in_the_letter_once_and_a_look_is_none(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await owing(database, stripe)
    for _ in range(2):
        assert (await client.get(case.url())).is_success
        assert (await press(client, case, "card")).status_code == 303

    async def is_clicked() -> bool:
        return await states(database) == [TouchpointState.CLICKED]

    await until_true(is_clicked)
    async with database.transaction() as session:
        [told] = (await session.scalars(select(ProviderEventRow))).all()
    assert (told.provider, told.kind) == ("everstay", "clicked")


async def test_a_program_that_presses_is_known_as_one(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await owing(database, stripe)
    client.headers["user-agent"] = "Proofpoint URL Defense"
    await press(client, case, "card")
    async with database.transaction() as session:
        body = await session.scalar(select(ProviderEventRow.body))
    assert body is not None
    assert body["is_machine"] is True


async def test_coming_back_is_a_checkout_with_the_offer_in_it(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await left(database, stripe)
    assert case.receipt is not None
    stripe.asked()
    page = (await client.get(case.url())).text
    assert BUTTON.findall(page) == ["return"]
    for words in (
        "Come back to Northwind",
        "10 % off for 3 months",
        case.receipt.code,
        "until 24 March 2026",
    ):
        assert words in page
    assert stripe.asked() == []
    answer = await press(client, case, "return")
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert place.startswith(f"{stripe.url}/hosted/checkout/")
    done = stripe.http.post(f"{place}/pay", data={"card": "pm_card_visa"}, follow_redirects=True)
    assert 'role="alert"' not in done.text, done.text
    [code] = stripe.turn("promotion-codes", "GET")
    assert len(code["redemptions"]) == 1
    again = await press(client, case, "return")
    assert "is with us" in again.text, "the provider knows before we have heard of it"
    assert BUTTON.findall(again.text) == []
    back = await client.get(f"{case.url()}?back=yes")
    assert BUTTON.findall(back.text) == [], "until we hear of it, nobody buys it twice in passing"


@pytest.mark.parametrize("change", [{"state": OfferState.EXPIRED}, {"expires_at": NOON}])
async def test_an_offer_that_is_over_is_said_and_the_way_back_is_there_without_it(
    client: Client, database: Database, stripe: StripeBeside, change: dict[str, object]
) -> None:
    case = await left(database, stripe)
    async with database.transaction() as session:
        await session.execute(update(OfferRow).values(change))
    await end_case(database, CaseOutcome.LOST)
    page = (await client.get(case.url())).text
    assert "is over" in page
    place = (await press(client, case, "return")).headers["location"]
    assert stripe.http.post(f"{place}/pay", data={"card": "pm_card_visa"}, follow_redirects=True).is_success
    [code] = stripe.turn("promotion-codes", "GET")
    assert code["redemptions"] == []


async def test_who_is_back_has_nothing_to_press_and_no_second_checkout(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await left(database, stripe, percent=None)
    async with database.transaction() as session:
        await session.execute(update(CustomerRow).values(status=CustomerStatus.ACTIVE))
    stripe.asked()
    shown = [await client.get(case.url()), await press(client, case, "return")]
    assert all("Acme &amp; Söhne is with us" in answer.text for answer in shown)
    assert all(BUTTON.findall(answer.text) == [] for answer in shown)
    assert stripe.asked() == []


@pytest.mark.parametrize(
    ("status", "words", "buttons"),
    [
        ("paid", "Invoice R-117 is paid", ["card"]),
        ("void", "Invoice R-117 no longer has to be paid", []),
        ("uncollectible", "Pay invoice R-117", ["pay", "card"]),
    ],
)
async def test_after_the_end_the_page_offers_what_still_makes_sense(
    client: Client, database: Database, stripe: StripeBeside, status: str, words: str, buttons: list[str]
) -> None:
    case = await owing(database, stripe)
    async with database.transaction() as session:
        await session.execute(update(InvoiceRow).values(status=status))
    await end_case(database, CaseOutcome.EXHAUSTED)
    page = (await client.get(case.url())).text
    assert words in page
    assert BUTTON.findall(page) == buttons


async def test_who_has_left_pays_what_is_owed_and_is_asked_for_no_card(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await owing(database, stripe)
    async with database.transaction() as session:
        await session.execute(update(CustomerRow).values(status=CustomerStatus.CHURNED))
    assert BUTTON.findall((await client.get(case.url())).text) == ["pay"]
    stripe.asked()
    assert (await press(client, case, "card")).status_code == 200
    assert stripe.asked() == []


@pytest.mark.parametrize(("fault", "status"), [("server_error", 503), ("unauthorized", 502)])
async def test_a_provider_that_cannot_answer_is_said_and_asked_again_by_a_button(
    client: Client, database: Database, stripe: StripeBeside, fault: str, status: int
) -> None:
    case = await owing(database, stripe)
    stripe.turn("faults", body=[{"fault": fault, "times": 50}])
    answer = await press(client, case, "card")
    assert answer.status_code == status
    assert "Nothing was charged" in answer.text
    assert BUTTON.findall(answer.text) == (["card"] if status == 503 else [])
    assert ("retry-after" in answer.headers) is (status == 503)
    stripe.turn("faults", "DELETE")
    assert (await press(client, case, "card")).status_code == 303


async def test_without_its_connection_the_page_asks_for_a_line(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await owing(database, stripe)
    async with database.transaction() as session:
        await session.execute(delete(ConnectionRow))
    page = await client.get(case.url())
    assert "Reply to our e-mail" in page.text
    assert BUTTON.findall(page.text) == []


async def test_a_link_ends_half_a_year_after_its_letter(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await owing(database, stripe)
    assert (await client.get(case.url(days_ago=180))).status_code == 200
    for answer in (await client.get(case.url(181)), await client.post(case.url(181), data={"way": "card"})):
        assert answer.status_code == 410
        assert "This link has ended" in answer.text


async def test_who_has_left_the_company_opens_none_of_its_pages(
    client: Client, database: Database, stripe: StripeBeside
) -> None:
    case = await owing(database, stripe)
    async with database.transaction() as session:
        await session.execute(update(ContactRoleRow).values(until=after(NOON, dt.timedelta(days=-1))))
    assert (await client.get(case.url())).status_code == 410
    assert (await press(client, case, "card")).status_code == 410


async def test_a_forged_link_names_nothing(client: Client, database: Database, stripe: StripeBeside) -> None:
    case = await owing(database, stripe)
    stripe.asked()
    genuine = case.url().rpartition("/")[2]
    older = case.url(days_ago=200).rpartition("/")[2].partition("-")[0]
    forged = (
        "nonsense",
        genuine[:-1],
        f"{older}-{genuine.partition('-')[2]}",
        genuine.replace(case.contact_id.hex, uuid.uuid4().hex),
        LINKS.meeting(case.case_id, case.contact_id).rpartition("/")[2],
        LINKS.token(case.contact_id),
    )
    for token in forged:
        assert (await client.get(f"/billing/{token}")).status_code == 404, token
        assert (await client.post(f"/billing/{token}", data={"way": "card"})).status_code == 404, token
    assert stripe.asked() == []


@pytest.mark.parametrize("way", ["", "nonsense"])
async def test_a_press_of_no_button_is_refused(
    client: Client, database: Database, stripe: StripeBeside, way: str
) -> None:
    case = await owing(database, stripe)
    stripe.asked()
    assert (await press(client, case, way)).status_code == 422
    assert stripe.asked() == []
