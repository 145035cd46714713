import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any, get_args

import pytest
from httpx import Response
from pydantic import BaseModel
from sqlalchemy import update

from api.web.dunning_policy import DunningPolicyPage
from api.web.policy_page import PolicyController, PolicyPage
from api.web.sending_policy import SendingPolicyPage
from api.web.win_back_policy import WinBackPolicyPage
from domain.dunning_policy import DunningPolicy
from domain.sending import DomainLimits, SendingPolicy
from domain.vocabulary import CancellationReason
from domain.win_back_policy import WinBackPolicy
from models.database import Database
from models.tables.system import PolicyRow
from tests.support.people import come_as
from tests.support.sample_rows import NOW, Sample
from tests.support.web import Client, csrf_in

pytestmark = pytest.mark.integration
PAGES: tuple[PolicyPage[Any], ...] = (
    DunningPolicyPage.policy_page,
    WinBackPolicyPage.policy_page,
    SendingPolicyPage.policy_page,
)
MARK = re.compile(r'name="mark" value="([0-9a-f]*)"')


@dataclass(frozen=True)
class Form:
    """A page's form, filled in as it stands there."""

    browser: Client
    page: PolicyPage[Any]
    shown: Response

    async def send(self, to: str = "", **cells: str) -> Response:
        """Send it with these cells changed."""
        mark = MARK.search(self.shown.text)
        assert mark is not None
        data = {"_csrf_token": csrf_in(self.shown), "mark": mark[1], **self.page.cells(self.page.model())}
        return await self.browser.post(self.page.place + to, data=data | cells)


async def open_form(browser: Client, page: PolicyPage[Any]) -> Form:
    return Form(browser, page, await browser.get(page.place))


async def in_force(database: Database, page: PolicyPage[Any]) -> Any:
    async with database.transaction() as session:
        return await page.load(session)


def shown(answer: Response) -> str:
    return unescape(answer.text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
async def test_what_the_form_shows_is_what_it_saves_and_it_says_who_saved_it(
    browser: Client, database: Database, sample: Sample, page: PolicyPage[Any]
) -> None:
    await come_as(browser, database, sample, "ada")
    form = await open_form(browser, page)
    assert "the default: nobody has changed it" in form.shown.text
    saved = await form.send()
    assert f"Saved. {page.saved}" in shown(saved)
    assert "by Ada" in saved.text
    assert await in_force(database, page) == page.model()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
async def test_whoever_may_not_edit_policies_reads_them(
    browser: Client, database: Database, sample: Sample, page: PolicyPage[Any]
) -> None:
    await come_as(browser, database, sample, "jonas")
    form = await open_form(browser, page)
    assert "Change it" not in form.shown.text
    for to in ("", "/preview"):
        assert (await form.send(to)).status_code == 403


async def test_a_change_is_previewed_in_words_with_its_days_and_keeps_nothing(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    form = await open_form(browser, DunningPolicyPage.policy_page)
    cells = {"retries.attempts": "2", "write_off_below": "USD 5.00\njpy 1,500", "final_action": "cancel"}
    tried = shown(await form.send("/preview", **cells))
    assert re.search(r"Attempts at most</th>\s*<td[^>]*>8</td>\s*<td[^>]*>2</td>", tried)
    assert "USD 5.00, jpy 1,500" in tried
    first = tried.partition("A charge is refused today without a reason")[0]
    assert first.count("The card is charged") == 2
    assert "The final action is carried out" in first
    assert await in_force(database, DunningPolicyPage.policy_page) == DunningPolicy()
    await form.send(**cells)
    saved: DunningPolicy = await in_force(database, DunningPolicyPage.policy_page)
    assert (saved.retries.attempts, saved.final_action) == (2, "cancel")
    assert saved.write_off_below == {"USD": 500, "JPY": 1500}


async def test_each_wrong_cell_is_named_with_its_fix_and_keeps_what_was_typed(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    page = DunningPolicyPage.policy_page
    wrong = await (await open_form(browser, page)).send(
        **{
            "retries.within_days": "99",
            "retries.attempts": "many",
            "retries.hours.from": "dusk",
            "retries.ceilings.6.brand": "amex",
            "notices.gentle_below": "60",
            "escalate_from": "500",
        }
    )
    said = shown(wrong)
    assert wrong.status_code == 422
    assert '<a href="#retries.within_days">Within days</a>: write 60 or less.' in said
    assert '<a href="#retries.attempts">Attempts at most</a>: write a whole number.' in said
    assert "such as 09:00" in said
    assert "row 7: Within hours</a>: write a whole number." in said
    assert "write a line as USD 500.00" in said
    assert 'value="dusk"' in said
    assert 'value="amex"' in said
    assert await in_force(database, page) == DunningPolicy()


@pytest.mark.parametrize(
    ("page", "cells", "control"),
    [
        (DunningPolicyPage, {"notices.gentle_below": "60"}, "notices.gentle_below"),
        (
            DunningPolicyPage,
            {"write_off_below": "USD 10", "escalate_from": "USD 5"},
            "escalate_from",
        ),
        (WinBackPolicyPage, {"days": "7, 1"}, "days"),
        (WinBackPolicyPage, {"offers.margin_floor": "80"}, "offers.margin_floor"),
        (WinBackPolicyPage, {"offers.ladder.2.percent": "120"}, "offers.ladder.2.percent"),
        (SendingPolicyPage, {"transactional_share": "100"}, "transactional_share"),
        (SendingPolicyPage, {"domains.1.name": "a.b", "domains.3.name": "a.b"}, "domains.3.name"),
        (SendingPolicyPage, {"domains.2.name": "Mail"}, "domains.2.name"),
        (
            SendingPolicyPage,
            {"domains.2.name": "a.b", "domains.2.warm_up.started_on": "2026-03-02"},
            "domains.2.per_day",
        ),
    ],
)
def test_what_contradicts_itself_is_told_beside_the_field_where_it_is_mended(
    page: type[PolicyController], cells: dict[str, str], control: str
) -> None:
    policy = page.policy_page
    read = policy.read(policy.cells(policy.model()) | cells)
    assert list(read.problems) == [control]
    assert read.policy is None


async def test_rows_are_added_changed_and_taken_away(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    page = WinBackPolicyPage.policy_page
    empty = {cell: "" for cell in page.cells(page.model()) if cell.startswith("offers.ladder.1.")}
    added = {
        "offers.ladder.4.percent": "30",
        "offers.ladder.4.months": "2",
        "offers.ladder.4.reasons.unused": "1",
    }
    await (await open_form(browser, page)).send(**empty, **added)
    saved: WinBackPolicy = await in_force(database, page)
    assert [rung.percent for rung in saved.offers.ladder] == [10, 20, 25, 30]
    assert saved.offers.ladder[-1].reasons == (CancellationReason.UNUSED,)


async def test_a_warm_up_shows_how_it_would_grow(browser: Client, database: Database, sample: Sample) -> None:
    await come_as(browser, database, sample, "ada")
    page = SendingPolicyPage.policy_page
    name = "domains.0."
    cells = {f"{name}name": "mail.example.com", f"{name}per_day": "2,000"}
    cells |= {f"{name}warm_up.started_on": "2026-11-20", f"{name}warm_up.growth": "2"}
    tried = shown(await (await open_form(browser, page)).send("/preview", **cells))
    assert "Warm-up of mail.example.com" in tried
    assert [f"{cap:,} messages" in tried for cap in (50, 100, 200, 400, 800, 1600, 2000)] == [True] * 7
    await (await open_form(browser, page)).send(**cells)
    saved: SendingPolicy = await in_force(database, page)
    assert saved.domains["mail.example.com"].per_day == 2000
    assert saved.domains["mail.example.com"].per_hour is None
    assert saved.others is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
def test_every_name_of_a_policy_is_in_its_form(page: PolicyPage[Any]) -> None:
    shown = {field.name for field in page.fields}
    assert {name for name in leaves(page.model) if not any(covers(one, name) for one in shown)} == set()


def leaves(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Return the dotted names of what stands in a document, as its JSON has them."""
    for name, field in model.model_fields.items():
        full = f"{before}{field.alias or name}"
        kind = next((one for one in (field.annotation, *get_args(field.annotation)) if is_part(one)), None)
        yield from leaves(kind, f"{full}.") if kind is not None else (full,)


def is_part(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def covers(shown: str, name: str) -> bool:
    """A table shows every part of its rows."""
    return name == shown or name.startswith(f"{shown}.")


async def test_no_row_is_lost_however_many_there_are(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    page = SendingPolicyPage.policy_page
    many = {f"d{number}.example": DomainLimits(per_day=number) for number in range(1, 101)}
    cells = page.cells(SendingPolicy(domains=many))
    assert (await (await open_form(browser, page)).send(**cells)).status_code == 200
    assert (await in_force(database, page)).domains == many
    assert 'value="d100.example"' in (await browser.get(page.place)).text


async def test_who_saves_what_somebody_else_has_changed_meanwhile_is_told(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    page = SendingPolicyPage.policy_page
    mine = await open_form(browser, page)
    theirs = SendingPolicy(others=DomainLimits(per_day=100))
    async with database.transaction() as session:
        await page.save(session, theirs, sample.users["marta"], NOW)
    late = await mine.send(judged_days="14")
    assert late.status_code == 409
    assert "Marta" in late.text
    assert await in_force(database, page) == theirs
    again = Form(browser, page, late)
    assert (await again.send(judged_days="14")).status_code == 200


async def test_a_policy_that_nobody_can_read_is_mended_on_its_page(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    page = SendingPolicyPage.policy_page
    await (await open_form(browser, page)).send()
    async with database.transaction() as session:
        await session.execute(update(PolicyRow).values(document={"of_old": 1}))
    form = await open_form(browser, page)
    assert "The stored sending policy is of no use" in form.shown.text
    assert (await form.send(judged_days="3")).status_code == 200
    assert (await in_force(database, page)).judged_days == 3


async def test_back_to_the_default(browser: Client, database: Database, sample: Sample) -> None:
    await come_as(browser, database, sample, "ada")
    page = WinBackPolicyPage.policy_page
    await (await open_form(browser, page)).send(is_on="")
    assert not (await in_force(database, page)).is_on
    await (await open_form(browser, page)).send(reset="1")
    assert await in_force(database, page) == WinBackPolicy()
