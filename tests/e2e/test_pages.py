"""The pages in Chromium: with and without JavaScript, narrow and wide, light and dark."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.aside import aside
from tests.support.browser import announce, chromium, serving, session_of
from tests.support.case_rows import case_id
from tests.support.doubts import outgoing_sample
from tests.support.looks import SCHEMES, SIZES, faults, violations
from tests.support.postgres import create_database, drop_database
from tests.support.sample_judgement import PROPOSAL
from tests.support.sample_rows import Sample
from tests.support.sample_template import TEMPLATE, make_template
from tests.support.web import SESSION

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
PATIENCE = 20_000
PAGES = (
    "/",
    "/?q=nobody-has-this-name",
    "/customers/{customer}",
    "/customers/{customer}/history?on=2026-11-10&days=365",
    "/tiers",
    "/tiers?days=90&by=mrr&state=all",
    "/models",
    "/models/involuntary-2026-11-16-1",
    "/models/expansion-2026-11-16-1",
    "/inbox",
    "/inbox?show=done",
    "/runs",
    "/runs/{run}",
    "/runs/{run}?preview=1",
    "/dunning",
    "/dunning?q=nobody-has-this-name",
    "/dunning?view=list",
    "/dunning/{unpaid}",
    "/dunning/{held}",
    "/cases/{unpaid}/end",
    "/win-back",
    "/win-back/{left}",
    "/offers",
    "/decisions",
    "/plan",
    "/monitor",
    "/effects",
    "/impact",
    "/impact/low-engagement",
    "/backtests",
    "/backtests/00000000-0000-4000-8000-00000000b7e5",
    "/playbooks",
    "/playbooks/low-engagement",
    "/data",
    "/data/events",
    "/data/holding",
    "/contacts/{contact}",
    "/webhook-deliveries",
    "/data/uploads",
    "/imports",
    "/quarantine",
    "/attention",
    "/contact-policy",
    "/dunning-policy",
    "/win-back-policy",
    "/sending-policy",
    "/messages",
    "/messages?show=late",
    "/messages?show=not_sent",
    "/suppressions",
    "/weights",
    "/weights?proposal={proposal}",
    "/disagreements",
    "/watch-policy",
    "/signals",
    "/signals/usage_drop",
    "/signals/own",
    "/customers/00000000-0000-4000-8000-000000000000",
)
CASES = {
    "unpaid": case_id("dunning", 2),
    "held": case_id("dunning", 7),
    "left": case_id("win_back", 29),
}


@dataclass(frozen=True)
class Site:
    """The sample's pages in a browser."""

    browser: Browser
    address: str
    database_url: str
    sample: Sample

    def open(
        self,
        name: str,
        *,
        scheme: Literal["light", "dark"] = "light",
        java_script: bool = True,
    ) -> Page:
        """Return a new window in which somebody is signed in."""
        width, height = SIZES["wide"]
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=java_script,
        )
        context.set_default_timeout(PATIENCE)
        token = session_of(self.database_url, self.sample.users[name])
        context.add_cookies([{"name": SESSION, "value": token, "url": self.address}])
        return context.new_page()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def sample(postgres_url: str, migrated_template: str) -> Iterator[Sample]:
    yield make_template(postgres_url, migrated_template)
    drop_database(postgres_url, TEMPLATE)


@pytest.fixture(scope="module")
def shown(browser: Browser, postgres_url: str, sample: Sample) -> Iterator[Site]:
    """The pages for tests that look and change nothing."""
    with _site(browser, postgres_url, sample) as opened:
        yield opened


@pytest.fixture
def site(browser: Browser, postgres_url: str, sample: Sample) -> Iterator[Site]:
    """The pages for one test, which may change what it likes."""
    with _site(browser, postgres_url, sample) as opened:
        yield opened


@contextmanager
def _site(browser: Browser, postgres_url: str, sample: Sample) -> Iterator[Site]:
    name = f"test_{uuid.uuid4().hex}"
    url = create_database(postgres_url, name, TEMPLATE)
    with serving(url) as address:
        yield Site(browser, address, url, sample)
        for context in browser.contexts:
            context.close()
    drop_database(postgres_url, name)


def a_run(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT id FROM interventions WHERE outcome = 'saved' LIMIT 1").fetchone()
    assert row is not None
    return str(row[0])


def open_first_task(page: Page) -> str:
    """Go from the portfolio to a customer and to the inbox, open the first task's form, and return its id."""
    page.goto("/")
    page.get_by_role("link", name="Alder & Finch").click()
    expect(page.get_by_role("heading", level=1, name="Alder & Finch")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Inbox")).click()
    card = page.get_by_role("article", name="Call the sponsor at Alder & Finch")
    card.locator("summary", has_text="Done").click()
    return str(card.get_attribute("id"))


def finish(page: Page, card_id: str) -> None:
    card = page.locator(f"#{card_id}")
    card.get_by_role("radio", name="Reached").check()
    card.get_by_role("textbox").fill("Agreed on a review")
    card.get_by_role("button", name="Finish the task").click()
    expect(page.get_by_text("Done and noted.")).to_be_visible()


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_the_portfolio_to_a_finished_task_and_back(site: Site, *, java_script: bool) -> None:
    page = site.open("jonas", java_script=java_script)
    card_id = open_first_task(page)
    finish(page, card_id)
    expect(page.locator(f"#{card_id}")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back")).to_be_visible()
    expect(page.locator(f"#{card_id}")).to_have_count(1)


def test_a_finished_task_stands_in_the_customers_story(site: Site) -> None:
    page = site.open("jonas")
    finish(page, open_first_task(page))
    page.goto(f"/customers/{site.sample.customers[0]}?kind=task")
    expect(page.get_by_text("Agreed on a review")).to_be_visible()


def test_searching_narrows_the_list_and_the_address_while_typing(site: Site) -> None:
    page = site.open("jonas")
    page.goto("/")
    page.get_by_role("searchbox").press_sequentially("loom")
    expect(page.get_by_text("1 customer", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]q=loom"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.reload()
    expect(page.get_by_role("link", name="Brightloom")).to_be_visible()


def test_filters_and_order_work_without_javascript(site: Site) -> None:
    page = site.open("jonas", java_script=False)
    page.goto("/")
    page.locator("summary", has_text="Risk tier").click()
    page.get_by_role("checkbox", name="Critical").check()
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"tier=critical"))
    page.get_by_role("link", name="ARR", exact=True).click()
    expect(page).to_have_url(re.compile(r"sort=arr&order=desc"))
    expect(page.get_by_role("columnheader", name="ARR")).to_have_attribute("aria-sort", "descending")


def test_an_open_page_shows_what_changed_elsewhere(site: Site) -> None:
    page = site.open("jonas")
    with page.expect_response(re.compile(r"/live$")):
        page.goto("/")
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("UPDATE customers SET name = 'Renamed elsewhere' WHERE name = 'Alder & Finch'")
    shown = page.get_by_role("link", name="Renamed elsewhere")
    for _ in range(20):
        announce(site.database_url)
        try:
            shown.wait_for(timeout=1_500)
        except Exception:  # noqa: BLE001, S112  the listener may connect only after the announcement
            continue
        break
    expect(shown).to_be_visible()


@pytest.mark.parametrize("place", PAGES)
def test_axe_finds_nothing_narrow_or_wide_in_light_or_dark(shown: Site, place: str) -> None:
    page = shown.open("ada")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Policy" in message.text else None)
    first = shown.sample.customers[0]
    contact, run = shown.sample.contacts[first][0], a_run(shown.database_url)
    named = {"customer": first, "contact": contact, "run": run, "proposal": PROPOSAL, **CASES}
    page.goto(place.format(**named))
    assert list(faults(page)) == []
    assert errors == []
    page.context.close()


def test_axe_finds_nothing_on_what_has_left_and_what_did_not(site: Site) -> None:
    places = aside(lambda: outgoing_sample(site.database_url, site.sample.customers[0]))
    page = site.open("ada")
    for place in places:
        page.goto(place)
        assert list(faults(page)) == [], place


def test_axe_finds_nothing_on_policies_that_are_tried_or_wrong(shown: Site) -> None:
    page = shown.open("ada")
    for button, days in (("Preview", "24"), ("Save", "99")):
        page.goto("/dunning-policy")
        page.get_by_label("Within days").fill(days)
        page.get_by_role("button", name=button).click()
        assert list(faults(page)) == [], button
    page.get_by_role("link", name="Within days").click()
    expect(page.get_by_label("Within days")).to_have_attribute("aria-invalid", "true")
    page.goto("/win-back-policy")
    page.locator("summary", has_text="Left for, row 1").click()
    assert list(faults(page)) == []


def test_axe_finds_nothing_on_an_endpoint_that_was_given_up(site: Site) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO webhook_endpoints (key, url, secret, note, created_at, changed_at, disabled_at,
                                              disabled_reason, failing_since)
               VALUES ('crm-sync', 'https://crm.example/hooks', '', '', now(), now(), now(),
                       'it answered 410 Gone', now())"""
        )
    page = site.open("ada")
    page.goto("/inbox")
    expect(page.get_by_role("heading", name="Endpoint crm-sync")).to_be_visible()
    assert list(faults(page)) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_in_open_menus_and_forms_and_before_sign_in(
    shown: Site, scheme: Literal["light", "dark"]
) -> None:
    page = shown.open("marta", scheme=scheme)
    page.goto("/inbox")
    for name in ("Done", "Snooze", "Hand over"):
        page.locator("summary", has_text=name).first.click()
        assert violations(page) == []
    page.locator("summary", has_text="Marta").click()
    assert violations(page) == []
    page.goto("/")
    page.locator("summary", has_text="Risk tier").click()
    assert violations(page) == []
    page.context.clear_cookies()
    page.goto("/sign-in")
    assert violations(page) == []
