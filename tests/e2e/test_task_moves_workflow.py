"""The whole stack in a browser: a CSM finishes a task on a page, and the durable run moves on."""

import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from domain.vocabulary import RiskTier, SignalKind
from models.clock import open_clock
from models.database import Database
from models.installation import release
from models.playbooks import load_library
from settings import Settings
from tests.house.repository import ROOT
from tests.support.aside import aside
from tests.support.browser import chromium, session_of
from tests.support.homes import temporary_home
from tests.support.scenario import Scenario
from tests.support.web import SESSION
from tests.workers.embedded.support import fresh_settings, variables, wait_until
from workers.embedded.runtime import locate

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
LIBRARY = ROOT / "playbooks"
PATIENCE = 30_000


@pytest.fixture
def stack() -> Iterator[Settings]:
    """A running stack of this test alone."""
    with temporary_home() as home:
        settings = fresh_settings(home)
        everstay(settings, "up", "--detach")
        yield locate(settings)
        everstay(settings, "down")


def everstay(settings: Settings, *arguments: str) -> None:
    command = [sys.executable, "-m", "cli", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=variables(settings), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def a_frustrated_customer(settings: Settings) -> tuple[uuid.UUID, uuid.UUID]:
    """Release the shipped playbooks and bring one customer into trouble; return it and its CSM."""
    database = Database(settings.database_url or "")
    try:
        clock = await open_clock(database)
        async with database.transaction() as session:
            await load_library(session, LIBRARY, clock.now())
            await release(session, clock.now(), clock.wall_now())
        scene = await Scenario(database, clock.now()).begin()
        await scene.open_signal(SignalKind.TICKET_OVERDUE)
        await scene.set_tier(RiskTier.HIGH, family="support")
        return scene.customer_id, scene.csm_id
    finally:
        await database.close()


async def where_the_run_stands(settings: Settings) -> str | None:
    database = Database(settings.database_url or "")
    try:
        scene = Scenario(database, (await open_clock(database)).now())
        runs = await scene.runs()
        return runs[0].position.get("step") if runs else None
    finally:
        await database.close()


def stands_at(settings: Settings, steps: set[str]) -> bool:
    return aside(lambda: where_the_run_stands(settings)) in steps


def signed_in(browser: Browser, settings: Settings, user_id: uuid.UUID) -> Page:
    context = browser.new_context(base_url=settings.local_url)
    context.set_default_timeout(PATIENCE)
    token = session_of(settings.database_url or "", user_id)
    context.add_cookies([{"name": SESSION, "value": token, "url": settings.local_url}])
    return context.new_page()


def test_finishing_a_task_on_the_page_moves_the_workflow_on(stack: Settings) -> None:
    customer_id, csm_id = aside(lambda: a_frustrated_customer(stack))
    wait_until(lambda: stands_at(stack, {"wait-for-owner"}), "the run waits for its task")
    with chromium() as browser:
        page = signed_in(browser, stack, csm_id)
        page.goto("/")
        page.get_by_role("link", name="Acme").first.click()
        expect(page).to_have_url(f"{stack.local_url}/customers/{customer_id}")
        expect(page.get_by_text("Support frustration").first).to_be_visible()
        page.goto("/inbox")
        card = page.get_by_role("article", name="Take the open tickets of Acme in hand")
        card.locator("summary", has_text="Done").click()
        card.get_by_role("radio", name="Resolved").check()
        card.get_by_role("button", name="Finish the task").click()
        expect(page.get_by_text("Done and noted.")).to_be_visible()
    wait_until(lambda: stands_at(stack, {"apology", "let-support-work"}), "the run has moved on")
