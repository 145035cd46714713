"""The page behind a letter in Chromium, and the way from its buttons to the provider's page and back."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from models.database import Database
from tests.support.aside import aside
from tests.support.at_stripe import CaseAtStripe, StripeBeside, be_noon, left, owing, stripe_beside
from tests.support.browser import chromium, serving
from tests.support.looks import faults
from tests.support.postgres import create_database, drop_database

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[StripeBeside]:
    with stripe_beside(tmp_path) as opened:
        yield opened


@pytest.fixture
def database_at_noon(postgres_url: str, migrated_template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    yield create_database(postgres_url, name, migrated_template)
    drop_database(postgres_url, name)


def prepared(database_url: str, stripe: StripeBeside, *, leaves: bool) -> CaseAtStripe:
    async def prepare() -> CaseAtStripe:
        database = Database(database_url)
        try:
            await be_noon(database)
            return await (left if leaves else owing)(database, stripe)
        finally:
            await database.close()

    return aside(prepare)


@pytest.mark.parametrize("leaves", [False, True], ids=["an invoice", "the way back"])
def test_a_reader_sees_a_page_that_fits_presses_its_button_and_comes_back(
    browser: Browser, database_at_noon: str, stripe: StripeBeside, *, leaves: bool
) -> None:
    case = prepared(database_at_noon, stripe, leaves=leaves)
    button, place = ("Come back", "checkout") if leaves else ("Enter another card", "portal")
    with serving(database_at_noon) as address:
        page = browser.new_page(base_url=address)
        blocked: list[str] = []
        page.on("console", lambda message: blocked.append(message.text) if "Policy" in message.text else None)
        page.goto(case.url())
        assert list(faults(page)) == []
        page.get_by_role("button", name=button).click()
        expect(page).to_have_url(re.compile(rf"^{stripe.url}/hosted/{place}/"))
        page.goto(f"{case.url()}?back=yes")
        expect(page.get_by_role("status")).to_contain_text("you are done")
        assert list(faults(page)) == []
        assert blocked == []
        page.context.close()


def test_a_provider_that_is_away_is_said_and_tried_again(
    browser: Browser, database_at_noon: str, stripe: StripeBeside
) -> None:
    case = prepared(database_at_noon, stripe, leaves=False)
    with serving(database_at_noon) as address:
        page = browser.new_page(base_url=address)
        stripe.turn("faults", body=[{"fault": "server_error", "times": 50}])
        page.goto(case.url())
        page.get_by_role("button", name="Enter another card").click()
        expect(page.get_by_role("heading", name="Please try again in a moment")).to_be_visible()
        assert list(faults(page)) == []
        stripe.turn("faults", "DELETE")
        page.get_by_role("button", name="Try again").click()
        expect(page).to_have_url(re.compile(rf"^{stripe.url}/hosted/portal/"))
        page.goto(case.url(days_ago=200))
        expect(page.get_by_role("heading", name="This link has ended")).to_be_visible()
        assert list(faults(page)) == []
        page.context.close()
