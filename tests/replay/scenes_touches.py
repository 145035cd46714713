"""Scenes of one activity per touch, of timers that stay, of steps done elsewhere and of renewals."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

from temporalio.worker import Worker

from activities.calling import WebhookPerformer
from activities.performing import Performer, StepActivities
from domain.outgoing_webhooks import AnswerLinks
from domain.vocabulary import NoticeKind, RiskTier, SignalKind
from models.ciphers import Cipher
from models.database import Database
from models.playbooks import PlaybookShelf, load_library
from models.webhook_calls import CallTools
from tests.replay.recording import Recorded, begin_life, decline, record, record_customer, record_run
from tests.support.devserver import running_dev_server
from tests.support.endpoints import KEY, PUBLIC, FakePoster, add_endpoint
from tests.support.loop import LIBRARY, ClockInterceptor, Loop, running_loop
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario
from tests.support.simulators import until_true
from tests.support.web import SIGNING_KEY
from tests.workflows.kills import MONDAY_AT_TEN, PATIENCE, Site, heard

LETTER: dict[str, Any] = {"send_email": {"template": "stay-in-touch", "to": ["champion"]}}
PAUSE: dict[str, Any] = {"wait": {"duration": "3d"}}


async def touches(database: Database) -> AsyncIterator[Recorded]:
    """A run that opens with a letter, and whose deadlines are letters."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        letters = [{"id": f"letter-{place}", **LETTER} for place in range(1, 4)]
        pauses = [{"id": f"pause-{place}", **PAUSE} for place in range(1, 4)]
        steps = [step for pair in zip(letters, pauses, strict=True) for step in pair]
        await _run(loop, scene, steps, "three-letters")
        await loop.live(14)
        yield await record_run(loop, scene, "intervention-touch-by-touch")


async def returned(database: Database) -> AsyncIterator[Recorded]:
    """A decline and a return, since a deadline that is a message is one activity."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        await decline(loop, scene)
        await loop.live(3)
        await scene.resolve_signal(SignalKind.USAGE_DROP, loop.clock.now())
        await loop.live(3)
        yield await record_run(loop, scene, "intervention-saved-in-one-touch")
        yield await record_customer(loop, scene, "customer-decline-and-one-touch")


async def kept(database: Database) -> AsyncIterator[Recorded]:
    """A customer whom we speak with twice before the silence is over: its timer stays and is armed anew."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        for number in range(2):
            await loop.live(15)
            await scene.touch(loop.clock.now(), f"call-{number}")
            await scene.tell(NoticeKind.CUSTOMER_CHANGED, {}, loop.clock.now())
            await loop.ring()
        await loop.live(40)
        yield await record_customer(loop, scene, "customer-timer-that-stays")


async def performed(database: Database) -> AsyncIterator[Recorded]:
    """A step that another system does, and a letter behind it."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        await add_endpoint(database)
        tools = CallTools(Cipher(SIGNING_KEY), AnswerLinks(PUBLIC, SIGNING_KEY))
        performers: dict[str, Performer] = {
            "call_webhook": WebhookPerformer(database, loop.clock, FakePoster(), tools)
        }
        steps = StepActivities(database, loop.clock, PlaybookShelf(), performers)
        bulk = Worker(
            loop.client,
            task_queue="bulk",
            activities=[steps.perform_step],
            interceptors=[ClockInterceptor(loop)],
        )
        async with bulk:
            tell = {"id": "tell", "call_webhook": {"endpoint": KEY}}
            told = [tell, {"id": "letter", **LETTER}, {"id": "rest", **PAUSE}]
            await _run(loop, scene, told, "tell-and-write")
            await loop.live(20)
            yield await record_run(loop, scene, "intervention-done-elsewhere")


async def renewed(database: Database) -> AsyncIterator[Recorded]:
    """A renewal: the customer's workflow begins anew, waits for what was decided before, and hears again."""
    with running_dev_server() as server:
        site = Site(database, await server.client(), server.address, "http://127.0.0.1:9")
        async with database.transaction() as session:
            await load_library(session, LIBRARY, MONDAY_AT_TEN)
        await site.begin()
        scene = await Scenario(database, MONDAY_AT_TEN).begin(renewal_on=dt.date(2026, 9, 1))
        await scene.set_tier(RiskTier.LOW)
        name = f"customer/{scene.customer_id}"
        with site.worker():
            await heard(site, scene)
            first = (await site.client.get_workflow_handle(name).describe()).run_id
            await scene.change(renewal_on=dt.date(2027, 9, 1))
            await scene.tell(NoticeKind.CUSTOMER_CHANGED, {})
            await heard(site, scene)

            async def is_another() -> bool:
                return (await site.client.get_workflow_handle(name).describe()).run_id != first

            await until_true(is_another, PATIENCE)
            await scene.set_tier(RiskTier.HIGH)
            await heard(site, scene)
            yield await record(site.client, "customer-until-renewed", name, first)
            yield await record(site.client, "customer-since-renewed", name)


async def _run(loop: Loop, scene: Scenario, steps: list[dict[str, Any]], key: str) -> None:
    document = one_letter(steps=steps, key=key)
    run_id = await open_run(loop.database, document, scene.customer_id, loop.clock.now())
    await start_run(loop.client, run_id, opens_with=document.opening_message)


SCENES = (touches, returned, kept, performed, renewed)
