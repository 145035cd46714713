"""Test copies of a playbook's letters: real data, to whoever is signed in, and nothing left behind."""

import threading
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from domain.vocabulary import EffectState
from integrations.simulators.account import SIMULATOR_API_KEY
from integrations.simulators.server import SimulatorOptions, simulator_server
from models.database import Database
from models.installation import stop_effects
from models.playbooks import publish
from models.tables.ledger import EffectRow, TouchpointRow
from models.tables.playbooks import InterventionRow
from models.trial_letters import KIND
from tests.support.people import come_as
from tests.support.postgres import free_port
from tests.support.runs import one_letter
from tests.support.sample_rows import NOW, Sample, fill
from tests.support.simulators import until
from tests.support.web import Client, csrf_in, web_client, web_settings

pytestmark = pytest.mark.integration
DOCUMENT = one_letter()


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        filled = await fill(session, customers=3)
        await publish(session, DOCUMENT, NOW)
    return filled


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The simulator on a thread of its own: the browser of the tests holds the loop while it waits."""
    server = simulator_server(SimulatorOptions(home=tmp_path, port=free_port()))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    await until(lambda: server.started)
    url = f"http://127.0.0.1:{server.config.port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client
    server.should_exit = True
    thread.join()


@pytest.fixture
async def browser(
    database_url: str, database: Database, sample: Sample, mailbox: httpx.AsyncClient
) -> AsyncIterator[Client]:
    where = {"sendgrid_host": str(mailbox.base_url).rstrip("/"), "sendgrid_api_key": SIMULATOR_API_KEY}
    async with web_client(web_settings(database_url, **where)) as opened:
        opened.headers["accept"] = "text/html"
        await come_as(opened, database, sample, "jonas")
        yield opened


async def ask(browser: Client, customer_id: uuid.UUID, step: str = "letter") -> str:
    """Press the button of one letter, and return the page that comes."""
    shown = await browser.get(f"/playbooks/{DOCUMENT.key}/try?customer={customer_id}")
    form = {"_csrf_token": csrf_in(shown), "customer": str(customer_id), "step": step, "version": "1"}
    return (await browser.post(f"/playbooks/{DOCUMENT.key}/test-letter", data=form)).text


async def messages(mailbox: httpx.AsyncClient) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = (await mailbox.get("/_mailbox")).json()["messages"]
    return listed


async def counted(database: Database, table: type[TouchpointRow | InterventionRow]) -> int:
    async with database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_test_copy_goes_to_whoever_asks_and_counts_for_nothing(
    browser: Client, database: Database, sample: Sample, mailbox: httpx.AsyncClient
) -> None:
    before = await counted(database, TouchpointRow), await counted(database, InterventionRow)
    assert "A test copy is on its way to jonas@" in await ask(browser, sample.customers[1])
    (message,) = await messages(mailbox)
    assert str(message["to_email"]).startswith("jonas@")
    assert str(message["subject"]).startswith("[Test] ")
    assert "Hi Hanna," in str(message["text"])
    assert "/unsubscribe/" not in f"{message['text']}{message['html']}{message['headers']}"
    async with database.transaction() as session:
        (effect,) = (await session.scalars(select(EffectRow).where(EffectRow.kind == KIND))).all()
        assert (effect.state, effect.customer_id) == (EffectState.SENT, None)
        assert effect.user_id == sample.users["jonas"]
    assert (await counted(database, TouchpointRow), await counted(database, InterventionRow)) == before


async def test_a_refused_copy_says_so_and_is_failed_in_the_ledger(
    browser: Client, database: Database, sample: Sample, mailbox: httpx.AsyncClient
) -> None:
    await mailbox.put("/_control/faults", json={"fault": "refuse", "prefix": "jonas@"})
    assert "The copy did not leave" in await ask(browser, sample.customers[1])
    async with database.transaction() as session:
        state = await session.scalar(select(EffectRow.state).where(EffectRow.kind == KIND))
    assert state is EffectState.FAILED


async def test_nothing_is_sent_while_effects_are_stopped_or_of_a_step_that_is_no_letter(
    browser: Client, database: Database, sample: Sample, mailbox: httpx.AsyncClient
) -> None:
    assert "There is no message step" in await ask(browser, sample.customers[1], "rest")
    async with database.transaction() as session:
        await stop_effects(session, NOW, sample.users["ada"])
    assert "stopped every outward effect" in await ask(browser, sample.customers[1])
    assert await messages(mailbox) == []
