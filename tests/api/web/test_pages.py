import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from domain.permissions import Permission, may
from domain.vocabulary import Role
from models.database import Database
from models.playbooks import load_library
from models.tables.playbooks import InterventionRow
from tests.house.repository import ROOT
from tests.support.case_rows import case_id
from tests.support.people import come_as
from tests.support.sample_rows import PEOPLE, Sample
from tests.support.web import Client

pytestmark = pytest.mark.integration
ROLES = {name: role for name, _, role, _, _ in PEOPLE}
NEEDS = {
    "/": Permission.READ_CUSTOMERS,
    "/customers/{customer}": Permission.READ_CUSTOMERS,
    "/customers/{customer}/history?on=2026-11-10&days=365": Permission.READ_CUSTOMERS,
    "/tiers": Permission.READ_CUSTOMERS,
    "/tiers?days=365&by=mrr&tier=scored&state=all": Permission.READ_CUSTOMERS,
    "/models": Permission.READ_CUSTOMERS,
    "/models/involuntary-2026-11-16-1": Permission.READ_CUSTOMERS,
    "/inbox": Permission.READ_WORK,
    "/runs": Permission.READ_RUNS,
    "/runs/{run}": Permission.READ_RUNS,
    "/dunning": Permission.READ_CUSTOMERS,
    "/dunning?view=list&sort=due&late=7&currency=USD&q=a": Permission.READ_CUSTOMERS,
    "/dunning/{unpaid}": Permission.READ_CUSTOMERS,
    "/win-back": Permission.READ_CUSTOMERS,
    "/win-back/{left}": Permission.READ_CUSTOMERS,
    "/cases/{unpaid}/end": Permission.CONTROL_RUNS,
    "/offers": Permission.READ_CUSTOMERS,
    "/decisions": Permission.READ_RUNS,
    "/plan": Permission.READ_RUNS,
    "/monitor": Permission.READ_RUNS,
    "/effects": Permission.READ_RUNS,
    "/impact": Permission.READ_IMPACT,
    "/impact/low-engagement": Permission.READ_IMPACT,
    "/backtests": Permission.READ_CUSTOMERS,
    "/backtests/00000000-0000-4000-8000-00000000b7e5": Permission.READ_CUSTOMERS,
    "/playbooks": Permission.READ_PLAYBOOKS,
    "/playbooks/low-engagement": Permission.READ_PLAYBOOKS,
    "/contacts/{contact}": Permission.READ_IMPORTS,
    "/customers/{customer}/why?playbook=low-engagement": Permission.READ_CUSTOMERS,
    "/data": Permission.READ_IMPORTS,
    "/data/events": Permission.READ_IMPORTS,
    "/data/holding": Permission.READ_IMPORTS,
    "/data/uploads": Permission.WRITE_IMPORTS,
    "/imports": Permission.READ_IMPORTS,
    "/quarantine": Permission.READ_IMPORTS,
    "/webhook-deliveries": Permission.READ_IMPORTS,
    "/attention": Permission.READ_CUSTOMERS,
    "/contact-policy": Permission.READ_CUSTOMERS,
    "/messages": Permission.READ_CUSTOMERS,
    "/suppressions": Permission.READ_CUSTOMERS,
    "/weights": Permission.READ_CUSTOMERS,
    "/watch-policy": Permission.READ_CUSTOMERS,
    "/disagreements": Permission.READ_CUSTOMERS,
    "/endpoints": Permission.READ_PLAYBOOKS,
    "/signals": Permission.READ_CUSTOMERS,
    "/signals/ticket_overdue": Permission.READ_CUSTOMERS,
    "/signals/own": Permission.EDIT_POLICIES,
}
MOST_QUERIES = 8
MORE_QUERIES = {
    "/data": 12,
    "/customers/{customer}": 19,
    "/customers/{customer}/history?on=2026-11-10&days=365": 13,
    "/monitor": 11,
    "/dunning/{unpaid}": 12,
    "/win-back/{left}": 10,
    "/playbooks/low-engagement": 10,
    "/customers/{customer}/why?playbook=low-engagement": 12,
}
"""Overviews of parts with a table each; a customer with cases, and what rests, was asked for, and may be."""
SHORT = {"meta", "link", "input", "br", "img", "hr"}


class Outline(HTMLParser):
    """Tags that were never closed, ids used twice, and attributes that the policy forbids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.faults: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.ids += [str(names["id"])] if "id" in names else []
        self.faults += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]
        if tag in {"script", "style"} and "src" not in names:
            self.faults.append(f"inline {tag}")
        if tag not in SHORT:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect every statement that is sent to the database."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def queries_of(browser: Client, place: str) -> list[str]:
    """What one page asks of the database, the clock's own refresh left out."""
    with counted() as statements:
        await browser.get(place)
    return [each for each in statements if "clock_" not in each]


async def address(page: str, database: Database, sample: Sample) -> str:
    async with database.transaction() as session:
        run = await session.scalar(select(InterventionRow.id).order_by(InterventionRow.id).limit(1))
    first = sample.customers[0]
    found = {"customer": first, "contact": sample.contacts[first][0], "run": run}
    return page.format(**found, unpaid=case_id("dunning", 2), left=case_id("win_back", 29))


@pytest.mark.parametrize("page", list(NEEDS))
async def test_a_page_is_whole_holds_the_policy_and_asks_little_of_the_database(
    browser: Client, database: Database, sample: Sample, page: str
) -> None:
    await come_as(browser, database, sample, "ada")
    place = await address(page, database, sample)
    answer = await browser.get(place)
    assert answer.status_code == 200, answer.text
    asked = [await queries_of(browser, place) for _ in range(2)]
    assert min(asked, key=len)[MORE_QUERIES.get(page, MOST_QUERIES) :] == []
    outline = Outline(answer.text)
    assert (outline.faults, outline.open) == ([], [])
    assert len(set(outline.ids)) == len(outline.ids)
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", list(ROLES))
async def test_each_role_opens_its_pages_and_no_other(
    browser: Client, database: Database, sample: Sample, name: str
) -> None:
    await come_as(browser, database, sample, name)
    for page, needed in NEEDS.items():
        answer = await browser.get(await address(page, database, sample), follow_redirects=False)
        allowed = may(ROLES[name], needed)
        expected = {200} if allowed else {403, 303} if page == "/" else {403}
        assert answer.status_code in expected, (name, page, answer.status_code)


@pytest.mark.parametrize("name", list(ROLES))
async def test_the_navigation_leads_only_where_a_person_may_go(
    browser: Client, database: Database, sample: Sample, name: str
) -> None:
    await come_as(browser, database, sample, name)
    home = await browser.get("/")
    navigation = home.text.split("</nav>")[0].split("<nav", 1)[1]
    for place in re.findall(r'href="(/[a-z]*)"', navigation):
        assert (await browser.get(place)).status_code == 200, place


async def test_without_a_session_every_page_leads_to_the_sign_in_page(
    browser: Client, database: Database, sample: Sample
) -> None:
    for page in NEEDS:
        answer = await browser.get(await address(page, database, sample), follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")


async def test_no_number_stands_alone_on_a_customers_page(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get(f"/customers/{sample.customers[0]}")).text
    for said in (
        "high is bad",
        "high is good",
        "likely to leave within 90 days",
        "Scorecard 2",
        "data until 19 Nov",
        "Next best action",
        "against their own usual level",
    ):
        assert said in page


async def test_dates_are_those_of_whoever_looks(browser: Client, database: Database, sample: Sample) -> None:
    seen = {}
    for name in ("jonas", "priya"):
        await come_as(browser, database, sample, name)
        seen[name] = (await browser.get("/plan")).text
    assert "15:3" in seen["jonas"]
    assert "09:3" in seen["priya"]


async def test_an_unknown_customer_is_a_page_that_says_so(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    answer = await browser.get(f"/customers/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert "There is no customer" in answer.text


async def test_nonsense_in_the_address_is_forgiven(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    for place in ("/?page=999&sort=x&tier=purple&owner=1", "/runs?page=-1&state=x", "/inbox?of=us&page=99"):
        assert (await browser.get(place)).status_code == 200


async def test_what_people_typed_is_shown_as_text(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get("/?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E")).text
    assert "<script>alert" not in page
    assert "No customer fits" in page


def test_every_role_has_somebody_in_the_sample() -> None:
    assert set(ROLES.values()) == set(Role)


async def test_every_playbook_of_the_library_has_a_page(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "dev")
    async with database.transaction() as session:
        published = await load_library(session, ROOT / "playbooks", sample.now)
    for each in published:
        answer = await browser.get(f"/playbooks/{each.key}")
        assert answer.status_code == 200, answer.text
        outline = Outline(answer.text)
        assert (outline.faults, outline.open) == ([], [])
