"""The whole stack in a browser: a CSM finishes a task on a page, and the durable run moves on."""

import uuid

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from domain.vocabulary import RiskTier, SignalKind
from models.clock import open_clock
from models.database import Database
from models.installation import release, withhold_playbooks
from models.tables.playbooks import InterventionRow
from settings import Settings
from tests.support.aside import aside
from tests.support.browser import chromium, session_of
from tests.support.scenario import Scenario
from tests.support.web import SESSION
from tests.workers.embedded.support import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
PATIENCE = 30_000


async def a_frustrated_customer(settings: Settings) -> tuple[uuid.UUID, uuid.UUID]:
    """Release the shipped playbooks and bring one customer into trouble; return it and its CSM."""
    database = Database(settings.database_url or "")
    try:
        clock = await open_clock(database)
        async with database.transaction() as session:
            await withhold_playbooks(session, 0.0)
            await release(session, clock.now(), clock.wall_now())
        scene = await Scenario(database, clock.now()).begin()
        await scene.open_signal(SignalKind.TICKET_OVERDUE)
        await scene.set_tier(RiskTier.HIGH, family="support")
        return scene.customer_id, scene.csm_id
    finally:
        await database.close()


async def where_runs_stand(settings: Settings, customer_id: uuid.UUID) -> list[str]:
    database = Database(settings.database_url or "")
    try:
        async with database.transaction() as session:
            rows = await session.scalars(
                select(InterventionRow.position).where(InterventionRow.customer_id == customer_id)
            )
            return [position.get("step", "") for position in rows]
    finally:
        await database.close()


def stands_at(settings: Settings, customer_id: uuid.UUID, steps: set[str]) -> bool:
    return not steps.isdisjoint(aside(lambda: where_runs_stand(settings, customer_id)))


def signed_in(browser: Browser, settings: Settings, user_id: uuid.UUID) -> Page:
    context = browser.new_context(base_url=settings.local_url)
    context.set_default_timeout(PATIENCE)
    token = session_of(settings.database_url or "", user_id)
    context.add_cookies([{"name": SESSION, "value": token, "url": settings.local_url}])
    return context.new_page()


def test_finishing_a_task_on_the_page_moves_the_workflow_on(stack: Settings) -> None:
    customer_id, csm_id = aside(lambda: a_frustrated_customer(stack))
    wait_until(lambda: stands_at(stack, customer_id, {"wait-for-owner"}), "the run waits for its task")
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
    wait_until(lambda: stands_at(stack, customer_id, {"apology", "let-support-work"}), "the run has moved on")
