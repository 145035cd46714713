"""The pages of cases: what they count, what they say instead of codes, and their buttons."""

import re

import pytest
from sqlalchemy import delete, select, update

from domain.case_vocabulary import CaseOutcome, CaseState
from models.database import Database
from models.tables.cases import CaseRow, DunningRow
from models.tables.ledger import DecisionRow, TouchpointRow
from models.tables.runs import OfferRow
from models.tables.work import TaskRow
from tests.api.web.test_forms import send
from tests.support.case_rows import case_id
from tests.support.people import come_as
from tests.support.sample_cases import UNPAID
from tests.support.sample_rows import Sample
from tests.support.web import Client

pytestmark = pytest.mark.integration
CASE = case_id("dunning", 2)
HELD = case_id("dunning", 7)
LEFT = case_id("win_back", 29)
LINKS = re.compile(r'href="/dunning/([0-9a-f-]{36})"')


async def case(database: Database) -> CaseRow:
    async with database.transaction() as session:
        return (await session.scalars(select(CaseRow).where(CaseRow.id == CASE))).one()


async def test_the_board_has_a_column_per_stage_and_every_open_invoice_once(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get("/dunning")).text
    columns = re.findall(r'id="stage-(\w+)"', page)
    assert columns == ["reminding", "retrying", "provider_retries", "needs_customer", "grace"]
    found = LINKS.findall(page)
    assert sorted(found) == sorted(str(case_id("dunning", index)) for index, *_ in UNPAID)
    for said in (
        "Not enough money on the account",
        "2 of 8 attempts",
        "21 days late",
        "they dispute two of the seats",
    ):
        assert said in page
    assert "insufficient_funds" not in page


async def test_what_was_recovered_is_told_by_month_and_by_whom(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get("/dunning")).text
    month, ever = re.findall(r"<dt>Recovered.*?</div>", page, re.DOTALL)
    assert "2 invoices" in month
    assert "the provider" not in month, "that one was in October"
    assert "3 invoices" in ever
    assert all(who in ever for who in ("our attempt", "the provider", "the customer"))


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ("state=held", {7}),
        ("stage=needs_customer", {2, 6}),
        ("late=15", {4, 6}),
        ("q=2026-404", {4}),
        ("outcome=exhausted", {13}),
        ("owner=me&stage=retrying", {1, 7}),
        ("currency=EUR", {3}),
        ("least=100000", set()),
    ],
)
async def test_the_list_shows_what_the_address_asks_for(
    browser: Client, database: Database, sample: Sample, query: str, indexes: set[int]
) -> None:
    await come_as(browser, database, sample, "priya")
    found = LINKS.findall((await browser.get(f"/dunning?view=list&{query}")).text)
    assert set(found) == {str(case_id("dunning", index)) for index in indexes}


async def test_pages_of_the_list_hold_every_case_once(
    browser: Client, database: Database, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.views.case_search.PAGE_SIZE", 3)
    await come_as(browser, database, sample, "jonas")
    for sort in ("amount", "due", "next", "opened", "customer"):
        place: str | None = f"/dunning?view=list&sort={sort}"
        found: list[str] = []
        while place and len(found) <= len(UNPAID):
            page = (await browser.get(place)).text
            found += LINKS.findall(page)
            following = re.search(r'rel="next" href="([^"]+)"', page)
            place = following[1].replace("&amp;", "&") if following else None
        assert sorted(found) == sorted(str(case_id("dunning", index)) for index, *_ in UNPAID), sort


async def test_nonsense_in_the_address_is_forgiven(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    for place in (
        "/dunning?view=list&sort=x&cursor=nonsense&least=-4&stage=%00&owner=1&late=soon",
        "/win-back?show=x&cursor=nonsense&sort=9",
        "/offers?state=x&of=y&cursor=WzFd",
    ):
        assert (await browser.get(place)).status_code == 200, place


async def test_an_installation_without_cases_says_what_to_do(
    browser: Client, database: Database, sample: Sample
) -> None:
    async with database.transaction() as session:
        await session.execute(delete(OfferRow))
        for table in (DecisionRow, TaskRow, TouchpointRow):
            await session.execute(update(table).values(case_id=None))
        await session.execute(delete(CaseRow))
    await come_as(browser, database, sample, "ada")
    for place in ("/dunning", "/win-back", "/offers"):
        assert "With a billing provider connected" in (await browser.get(place)).text, place


async def test_one_case_tells_everything_in_words(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get(f"/dunning/{CASE}")).text
    for said in (
        "the card has expired",
        "ask for the card&#39;s data",
        "The provider",
        "Your payment did not go through",
        "Opened",
        "Call about an invoice that is not paid",
        "Opened: the charge was refused and the invoice is due.",
        "the subscription is paused",
    ):
        assert said in page, said


async def test_a_person_holds_lets_go_on_and_ends_a_case_by_plain_forms(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    place = f"/dunning/{CASE}"
    held = await send(browser, place, f"/cases/{CASE}/hold", reason="they dispute it")
    assert "It is held" in held.text
    assert "Held by Jonas Weber: they dispute it." in held.text
    assert (await case(database)).state is CaseState.HELD
    assert "It goes on" in (await send(browser, place, f"/cases/{CASE}/resume")).text
    assert "It looks again" in (await send(browser, place, f"/cases/{CASE}/ring")).text
    assert "say why" in (await send(browser, place, f"/cases/{CASE}/hold")).text
    asked = await browser.get(f"/cases/{CASE}/end?outcome=written_off")
    assert "Nothing is done until you say so" in asked.text
    assert (await case(database)).state is CaseState.OPEN
    ended = await send(
        browser, f"/cases/{CASE}/end", f"/cases/{CASE}/stop", outcome="written_off", reason="insolvent"
    )
    assert "Written off: insolvent (by Jonas Weber)." in ended.text
    assert (await case(database)).outcome is CaseOutcome.WRITTEN_OFF
    assert "Steer" not in ended.text


async def test_who_may_not_steer_sees_no_buttons_and_is_refused(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "vera")
    page = await browser.get(f"/dunning/{CASE}")
    assert "/hold" not in page.text
    assert (await browser.get(f"/cases/{CASE}/end")).status_code == 403
    assert (await send(browser, f"/dunning/{CASE}", f"/cases/{CASE}/ring")).status_code == 403


async def test_a_case_is_found_under_its_own_kind_alone(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    for place in (f"/cases/{LEFT}", f"/dunning/{LEFT}"):
        assert (await browser.get(place)).url.path == f"/win-back/{LEFT}"


async def test_win_back_tells_what_came_back_and_that_it_is_too_early_to_say_why(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get("/win-back")).text
    assert "Not enough data" in page
    assert "28 more of those that were written to and 29 more that were left alone" in page
    assert "1 of 2 came back" in page
    shown = (await browser.get("/win-back?show=held_out")).text
    assert set(re.findall(r'href="/win-back/([0-9a-f-]{36})"', shown)) == {
        str(case_id("win_back", 25)),
        str(case_id("win_back", 24)),
    }


async def test_offers_tell_cost_margin_ground_and_hand_but_no_code(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get("/offers")).text
    for said in ("68%", "rung 2 of 4", "By policy", "October 2026", "November 2026"):
        assert said in page, said
    assert "BACK-" not in page
    used = (await browser.get("/offers?state=redeemed")).text
    assert used.count("20 % off for 3 months</a>") == 1


async def test_cases_are_linked_from_customer_inbox_and_ledger(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    customer = (await browser.get(f"/customers/{sample.customers[2]}")).text
    assert f'href="/dunning/{CASE}"' in customer
    story = (await browser.get(f"/customers/{sample.customers[2]}?kind=case")).text
    assert "Payment tried by the provider" in story
    assert "the card has expired" in story
    for place in ("/inbox?of=all", "/decisions?reason=payment_failed"):
        assert f'href="/cases/{CASE}"' in (await browser.get(place)).text, place


async def test_amounts_of_several_currencies_are_never_added_up(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    async with database.transaction() as session:
        sums = (await session.execute(select(DunningRow.currency).distinct())).all()
    assert len(sums) == 2
    opened = re.search(r"<dt>Open</dt>.*?</div>", (await browser.get("/dunning")).text, re.DOTALL)
    assert opened is not None
    assert "$" in opened[0]
    assert "€" in opened[0]
