import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from activities.prompting import PromptPerformer
from domain.vocabulary import EffectState, PromptState, Purpose, StepState, TouchTier
from models.database import Database
from models.installation import stop_effects
from models.opt_outs import record_consent
from models.tables.customers import ContactRow, CustomerRow
from models.tables.playbooks import InterventionStepRow, PlaybookRow
from models.tables.runs import PromptRow
from tests.support.scenario import Scenario
from tests.support.steps import MONDAY, Standing, stand_at

pytestmark = pytest.mark.integration
PROMPT: dict[str, Any] = {
    "in_app_prompt": {
        "to": ["champion", "admin"],
        "title": "Hello $contact",
        "body": "$customer could use more.",
        "link": "/reports",
        "expires": "3d",
    }
}


@pytest.fixture
async def standing(database: Database) -> Standing:
    return await stand_at(database, PROMPT)


def performer(standing: Standing) -> PromptPerformer:
    return PromptPerformer(standing.database, standing.clock)


async def prompts(database: Database) -> list[PromptRow]:
    async with database.transaction() as session:
        found = (await session.scalars(select(PromptRow).order_by(PromptRow.offered_at))).all()
        session.expunge_all()
        return list(found)


async def set_customer(database: Database, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(update(CustomerRow).values(**values))


async def withdraw(standing: Standing) -> None:
    now, wall = standing.clock.now(), standing.clock.wall_now()
    async with standing.database.transaction() as session:
        contact: uuid.UUID = (await session.execute(select(ContactRow.id))).scalar_one()
        choice = [(Purpose.LIFECYCLE, False)]
        await record_consent(session, contact, choice, "their own page", now, now, wall)


async def test_a_prompt_is_offered_with_its_texts_filled(standing: Standing) -> None:
    result = await standing.perform(performer(standing))
    assert result.state == "done"
    (prompt,) = await prompts(standing.database)
    assert (prompt.title, prompt.body) == ("Hello Ann Able", "Acme could use more.")
    assert (prompt.link, prompt.state) == ("/reports", PromptState.OFFERED)
    assert prompt.expires_at == MONDAY + dt.timedelta(days=3)
    (effect,) = await standing.effects()
    assert (effect.key, effect.kind, effect.state) == (prompt.effect_key, "prompt", EffectState.SENT)


async def test_a_repeated_attempt_offers_nothing_twice(standing: Standing) -> None:
    await standing.perform(performer(standing))
    async with standing.database.transaction() as session:  # as if killed before the step's record
        await session.execute(update(InterventionStepRow).values(state=StepState.STARTED))
    standing.clock.pass_by(dt.timedelta(days=2))
    assert (await standing.perform(performer(standing))).state == "done"
    assert len(await prompts(standing.database)) == 1
    assert len(await standing.effects()) == 1


async def test_a_person_needs_no_address_to_be_shown_a_prompt(standing: Standing) -> None:
    async with standing.database.transaction() as session:
        await session.execute(update(ContactRow).values(email=None))
    assert (await standing.perform(performer(standing))).state == "done"


@pytest.mark.parametrize(
    ("values", "reason"), [({"do_not_contact": True}, "do_not_contact"), ({"holdout": True}, "holdout")]
)
async def test_wishes_and_the_holdout_are_heeded(
    standing: Standing, values: dict[str, Any], reason: str
) -> None:
    await set_customer(standing.database, **values)
    result = await standing.perform(performer(standing))
    assert (result.state, result.reason) == ("skipped", reason)
    assert await prompts(standing.database) == []


async def test_a_strategic_customer_is_in_no_holdout(standing: Standing) -> None:
    await set_customer(standing.database, holdout=True, touch_tier_override=TouchTier.STRATEGIC)
    assert (await standing.perform(performer(standing))).state == "done"


async def test_without_consent_nobody_is_asked(standing: Standing) -> None:
    await withdraw(standing)
    assert (await standing.perform(performer(standing))).reason == "no_consent"


async def test_where_nobody_is_meant_the_record_says_so(database: Database) -> None:
    changed = {"in_app_prompt": PROMPT["in_app_prompt"] | {"to": ["billing"]}}
    standing = await stand_at(database, changed)
    assert (await standing.perform(performer(standing))).reason == "no_recipient"


async def test_it_is_put_off_while_effects_are_stopped_or_it_only_observes(standing: Standing) -> None:
    async with standing.database.transaction() as session:
        await session.execute(update(PlaybookRow).values(released_at=None))
    assert (await standing.perform(performer(standing))).reason == "observing"
    async with standing.database.transaction() as session:
        await stop_effects(session, standing.clock.now())
    assert (await standing.perform(performer(standing))).reason == "effects_stopped"
    row = await standing.row()
    assert (row.state, row.due_at) == (StepState.DEFERRED, MONDAY + dt.timedelta(hours=4))


async def test_a_person_gets_one_prompt_a_day_and_the_second_waits(
    database: Database, standing: Standing
) -> None:
    await standing.perform(performer(standing))
    second = await stand_at(database, PROMPT, scene=standing.scene, key="another")
    second.clock.pass_by(dt.timedelta(hours=5))
    result = await second.perform(performer(second))
    row = await second.row()
    assert (result.state, result.reason) == ("deferred", "budget")
    assert row.due_at == MONDAY + dt.timedelta(days=1)
    second.clock.pass_by(dt.timedelta(hours=19))
    assert (await second.perform(performer(second))).state == "done"
    assert len(await prompts(database)) == 2


async def test_as_many_people_as_the_step_says_each_once(database: Database) -> None:
    scene = await Scenario(database, MONDAY).begin()
    await add_admins(scene, "bob", "cas")
    some = {"in_app_prompt": PROMPT["in_app_prompt"] | {"at_most": 2}}
    standing = await stand_at(database, some, scene=scene)
    await standing.perform(performer(standing))
    assert len({one.contact_id for one in await prompts(database)}) == 2
    titles = {one.title for one in await prompts(database)}
    assert "Hello Ann Able" in titles


async def add_admins(scene: Scenario, *names: str) -> None:
    """Let more people be there who have agreed."""
    from domain.time import WallInstant
    from models.facts import store_facts
    from tests.support.facts import contact

    since = scene.now
    async with scene.database.transaction() as session:
        facts = [
            contact(
                name,
                known_at=since,
                since=since,
                name=name.title(),
                roles=("admin",),
                consents=(Purpose.LIFECYCLE,),
            )
            for name in names
        ]
        await store_facts(session, "crm", facts, received_at=WallInstant(since))
