import datetime as dt
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import insert, select, update

from domain.time import BusinessInstant
from domain.vocabulary import (
    Channel,
    Direction,
    EffectState,
    InterventionState,
    NoticeKind,
    Outcome,
    PromptState,
    Purpose,
    TouchpointState,
)
from models.clock import wall_now
from models.database import Database
from models.effects import NewEffect, record_done
from models.installation import stop_effects
from models.keys import KeyKind, create_key
from models.opt_outs import record_consent
from models.prompt_desk import close_over
from models.tables.customers import ContactRow, CustomerRow
from models.tables.ledger import EffectRow, OutboxRow, TouchpointRow
from models.tables.playbooks import InterventionRow
from models.tables.runs import PromptRow
from models.tables.tracking import IdentityRow
from tests.support.runs import one_letter, open_run
from tests.support.scenario import Scenario
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration
USER = "user-7"


@dataclass
class Product:
    """A customer's product with a write key, a user, and one prompt for them."""

    client: Client
    database: Database
    scene: Scenario
    source_id: str
    contact_id: uuid.UUID
    run_id: uuid.UUID
    prompt_id: uuid.UUID

    async def ask(self, user: str = USER) -> list[dict[str, str]]:
        answer = await self.client.get("/v1/prompts", params={"userId": user})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, str]] = answer.json()["prompts"]
        return found

    async def say(self, word: str) -> int:
        return (await self.client.post(f"/v1/prompts/{self.prompt_id}/{word}")).status_code

    async def prompt(self) -> PromptRow:
        async with self.database.transaction() as session:
            found = (await session.execute(select(PromptRow))).scalar_one()
            session.expunge(found)
            return found

    async def touches(self) -> list[TouchpointRow]:
        async with self.database.transaction() as session:
            found = (await session.scalars(select(TouchpointRow))).all()
            session.expunge_all()
            return list(found)


def now() -> BusinessInstant:
    return BusinessInstant(wall_now())


@pytest.fixture
async def product(database: Database, database_url: str) -> AsyncIterator[Product]:
    scene = await Scenario(database, now()).begin()
    run_id, prompt_id = await open_run(database, one_letter(), scene.customer_id, now()), uuid.uuid4()
    async with database.transaction() as session:
        contact_id = (await session.execute(select(ContactRow.id))).scalar_one()
        secret, key = await create_key(session, KeyKind.WRITE, wall_now(), name="Product")
        source_id = key.source_id or ""
        await session.execute(
            insert(IdentityRow).values(
                id=uuid.uuid4(),
                source_id=source_id,
                kind="user",
                key=USER,
                contact_id=contact_id,
                since=now(),
                made_by="call",
            )
        )
        await session.execute(
            insert(PromptRow).values(
                id=prompt_id,
                customer_id=scene.customer_id,
                contact_id=contact_id,
                intervention_id=run_id,
                effect_key="a",
                title="Hello",
                body="Look here",
                link="/reports",
                state=PromptState.OFFERED,
                offered_at=now(),
                expires_at=now() + dt.timedelta(days=3),
            )
        )
    async with web_client(web_settings(database_url)) as client:
        client.headers["authorization"] = f"Bearer {secret}"
        yield Product(client, database, scene, source_id, contact_id, run_id, prompt_id)


async def test_a_user_is_shown_what_is_open_for_them_and_that_is_kept(product: Product) -> None:
    (shown,) = await product.ask()
    assert (shown["id"], shown["title"], shown["link"]) == (str(product.prompt_id), "Hello", "/reports")
    prompt = await product.prompt()
    first = prompt.shown_at
    assert (prompt.state, first is not None) == (PromptState.SHOWN, True)
    assert len(await product.ask()) == 1
    assert (await product.prompt()).shown_at == first


async def test_a_stranger_is_shown_nothing(product: Product) -> None:
    assert await product.ask("somebody-else") == []
    assert (await product.prompt()).state is PromptState.OFFERED


async def test_a_click_is_a_sign_of_life_and_counts_once(product: Product) -> None:
    await product.ask()
    assert [await product.say("clicked"), await product.say("clicked")] == [200, 200]
    (touch,) = await product.touches()
    assert (touch.direction, touch.channel, touch.state) == (
        Direction.IN,
        Channel.IN_APP,
        TouchpointState.RECEIVED,
    )
    assert (touch.customer_id, touch.intervention_id) == (product.scene.customer_id, product.run_id)
    assert await product.ask() == []
    async with product.database.transaction() as session:
        heard = (await session.scalars(select(OutboxRow.kind))).all()
    assert heard.count(NoticeKind.TOUCHPOINT) == 1


async def test_the_first_answer_holds_and_a_dismissal_is_no_sign_of_life(product: Product) -> None:
    assert [await product.say("dismissed"), await product.say("clicked")] == [200, 200]
    assert (await product.prompt()).state is PromptState.DISMISSED
    assert (await product.touches(), await product.ask()) == ([], [])


async def test_an_expired_prompt_is_closed_when_it_is_asked_for(product: Product) -> None:
    async with product.database.transaction() as session:
        await session.execute(update(PromptRow).values(expires_at=now()))
    assert await product.ask() == []
    assert (await product.prompt()).state is PromptState.EXPIRED
    assert await product.say("clicked") == 410
    assert await product.touches() == []


async def test_a_sweep_closes_what_nobody_asks_for(product: Product) -> None:
    later = BusinessInstant(now() + dt.timedelta(days=4))
    async with product.database.transaction() as session:
        assert [await close_over(session, at, wall_now()) for at in (now(), later)] == [0, 1]


@pytest.mark.parametrize("is_asked_for", [True, False], ids=["shown", "unseen"])
async def test_the_ledger_hears_whether_a_prompt_was_seen(product: Product, *, is_asked_for: bool) -> None:
    key, wall = (await product.prompt()).effect_key, wall_now()
    async with product.database.transaction() as session:
        await record_done(session, NewEffect(key, "prompt", "", product.scene.customer_id, "in_app"), wall)
    shown = await product.ask() if is_asked_for else []
    async with product.database.transaction() as session:
        await close_over(session, BusinessInstant(now() + dt.timedelta(days=4)), wall)
        state = await session.scalar(select(EffectRow.state).where(EffectRow.key == key))
    assert len(shown) == int(is_asked_for)
    assert state is (EffectState.CONFIRMED if is_asked_for else EffectState.FAILED)


@pytest.mark.parametrize(
    ("step", "outcome", "is_shown"),
    [("letter", Outcome.SAVED, False), ("end", Outcome.NO_CHANGE, True), ("end", Outcome.CHURNED, False)],
)
async def test_a_run_that_is_broken_off_takes_its_prompts_back(
    product: Product,
    step: str,
    outcome: Outcome,
    is_shown: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async with product.database.transaction() as session:
        ended = {"state": InterventionState.ENDED, "outcome": outcome, "position": {"step": step}}
        await session.execute(update(InterventionRow).values(ended))
    assert bool(await product.ask()) is is_shown


async def test_what_speaks_against_it_is_asked_again_when_it_is_to_be_shown(product: Product) -> None:
    async with product.database.transaction() as session:
        await session.execute(update(CustomerRow).values(do_not_contact=True))
    assert await product.ask() == []
    async with product.database.transaction() as session:
        await session.execute(update(CustomerRow).values(do_not_contact=False))
        choice = [(Purpose.LIFECYCLE, False)]
        await record_consent(session, product.contact_id, choice, "their own page", now(), now(), wall_now())
    assert await product.ask() == []


async def test_the_switch_of_all_effects_stops_prompts_too(product: Product) -> None:
    async with product.database.transaction() as session:
        await stop_effects(session, now())
    assert await product.ask() == []
    assert (await product.prompt()).state is PromptState.OFFERED


async def test_another_products_key_knows_nothing_of_it(product: Product) -> None:
    async with product.database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.WRITE, wall_now(), name="Other")
    product.client.headers["authorization"] = f"Bearer {secret}"
    assert await product.ask() == []
    assert await product.say("clicked") == 404


async def test_without_a_write_key_nobody_is_answered(product: Product) -> None:
    del product.client.headers["authorization"]
    answer = await product.client.get("/v1/prompts", params={"userId": USER})
    assert answer.status_code == 401


async def test_browsers_of_any_site_may_ask(product: Product) -> None:
    answer = await product.client.get("/v1/prompts", params={"userId": USER})
    assert answer.headers["access-control-allow-origin"] == "*"
    asked = {"origin": "https://app.example", "access-control-request-headers": "authorization"}
    before = await product.client.options("/v1/prompts", headers=asked)
    assert "GET" in before.headers["access-control-allow-methods"]
    assert before.headers["access-control-allow-headers"] == "authorization"
