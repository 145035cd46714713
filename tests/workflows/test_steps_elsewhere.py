import datetime as dt
import uuid

import pytest
from sqlalchemy import select
from temporalio.worker import Worker

from activities.calling import WebhookPerformer
from activities.own_steps import OwnStepPerformer
from activities.performing import Performer, StepActivities
from domain.outgoing_webhooks import AnswerLinks
from domain.own_steps import OwnSteps
from domain.vocabulary import StepState
from models.ciphers import Cipher
from models.playbooks import PlaybookShelf
from models.step_visits import Visit
from models.tables.playbooks import InterventionStepRow
from models.webhook_answers import Answer, take_answer
from models.webhook_calls import CallTools
from tests.support.endpoints import KEY, PUBLIC, FakePoster, add_endpoint
from tests.support.loop import ClockInterceptor, Loop
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario
from tests.support.simulators import until_true
from tests.support.web import SIGNING_KEY

pytestmark = pytest.mark.cadence
STEPS = [
    {
        "id": "ask",
        "call_webhook": {"endpoint": KEY, "timeout": "3d", "on_answer": "yes", "on_timeout": "no"},
    },
    {"id": "no", "wait": {"duration": "20d"}},
    {"id": "yes", "call": {"step": "missing"}},
    {"id": "rest", "wait": {"duration": "20d"}},
]


def bulk(loop: Loop, poster: FakePoster) -> Worker:
    tools = CallTools(Cipher(SIGNING_KEY), AnswerLinks(PUBLIC, SIGNING_KEY))
    performers: dict[str, Performer] = {
        "call_webhook": WebhookPerformer(loop.database, loop.clock, poster, tools),
        "call": OwnStepPerformer(loop.database, loop.clock, OwnSteps()),
    }
    steps = StepActivities(loop.database, loop.clock, PlaybookShelf(), performers)
    return Worker(
        loop.client,
        task_queue="bulk",
        activities=[steps.perform_step],
        interceptors=[ClockInterceptor(loop)],
    )


async def begin(loop: Loop, scene: Scenario) -> uuid.UUID:
    await add_endpoint(loop.database)
    document = one_letter(steps=STEPS, key="ask-first")
    run_id = await open_run(loop.database, document, scene.customer_id, loop.clock.now())
    await start_run(loop.client, run_id)
    await until_state(loop, run_id, "ask", StepState.WAITING)
    return run_id


async def until_state(loop: Loop, run_id: uuid.UUID, step: str, state: StepState) -> InterventionStepRow:
    row = InterventionStepRow
    found: list[InterventionStepRow] = []

    async def is_there() -> bool:
        async with loop.database.transaction() as session:
            query = select(row).where(row.intervention_id == run_id, row.step_id == step, row.state == state)
            found[:] = list((await session.scalars(query)).all())
            session.expunge_all()
        return bool(found)

    await until_true(is_there, 60)
    return found[0]


async def test_an_answer_lets_the_run_go_on_at_once_and_an_unknown_step_holds_nothing_up(
    loop: Loop, scene: Scenario
) -> None:
    poster = FakePoster()
    async with bulk(loop, poster):
        run_id = await begin(loop, scene)
        answered_at = await loop.look_at_the_clock()
        async with loop.database.transaction() as session:
            answer = Answer("answer_1", {"approved": True})
            visit = Visit(run_id, "ask", 1)
            assert await take_answer(session, visit, answer, answered_at, loop.clock.wall_now())
        await loop.ring()
        failed = await until_state(loop, run_id, "yes", StepState.FAILED)
        await until_state(loop, run_id, "rest", StepState.WAITING)
    assert failed.reason == "own_step_unknown"
    assert failed.finished_at is not None
    assert failed.finished_at - answered_at < dt.timedelta(hours=1)
    assert len(poster.calls) == 1


async def test_without_an_answer_the_run_goes_on_when_the_time_is_over(loop: Loop, scene: Scenario) -> None:
    async with bulk(loop, FakePoster()):
        run_id = await begin(loop, scene)
        await loop.live(3.1)
        await until_state(loop, run_id, "no", StepState.WAITING)
        asked = await until_state(loop, run_id, "ask", StepState.DONE)
    assert asked.reason == "timeout"
