"""A playbook that offers something on the time-skipping server: a yes, a code, a letter, and its end."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import insert
from temporalio.worker import Worker

from activities.offer_keeping import OfferKeeper
from activities.offers import OfferPerformer
from activities.performing import StepActivities
from domain.case_vocabulary import OfferState
from domain.time import after
from domain.vocabulary import Outcome, StepState, TaskOutcome
from models.hands import Hand
from models.playbooks import PlaybookShelf
from models.run_control import stop_run
from models.tables.connections import ConnectionRow
from models.tables.playbooks import InterventionStepRow
from models.tables.runs import OfferRow
from tests.support.discounts import DiscountDesk, had
from tests.support.loop import ClockInterceptor, Loop
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario
from tests.support.simulators import until_true

pytestmark = pytest.mark.cadence
STEPS = [
    {
        "id": "terms",
        "offer": {
            "kind": "discount",
            "percent": 15,
            "months": 3,
            "title": "15 % off for 3 months",
            "body": "Agree to it?",
            "on_granted": "letter",
            "on_refused": "rest",
        },
    },
    {"id": "letter", "send_email": {"template": "offer-terms", "to": ["champion"]}, "next": "rest"},
    {"id": "rest", "wait": {"duration": "10d"}},
    {"id": "late", "notify": {"title": "Look at $customer", "body": "$reason"}},
]


@asynccontextmanager
async def offering(loop: Loop, scene: Scenario, desk: DiscountDesk) -> AsyncIterator[uuid.UUID]:
    """Run the steps for a customer of a connected billing account, as far as the question to a person."""
    performer = OfferPerformer(loop.database, loop.clock, PlaybookShelf(), desk.open)
    steps = StepActivities(loop.database, loop.clock, PlaybookShelf(), {"offer": performer})
    bulk = Worker(
        loop.client,
        task_queue="bulk",
        activities=[steps.perform_step],
        interceptors=[ClockInterceptor(loop)],
    )
    wall = loop.clock.wall_now()
    async with loop.database.transaction() as session:
        connection = insert(ConnectionRow).values(source_id="crm", provider="stripe", options={})
        await session.execute(connection.values(secrets=b"", created_at=wall))
    await scene.hear(had(), now=loop.clock.now())
    async with bulk:
        document = one_letter(steps=STEPS, key="offer-terms")
        run_id = await open_run(loop.database, document, scene.customer_id, loop.clock.now())
        await start_run(loop.client, run_id)
        await reach(scene, "terms", StepState.WAITING)
        yield run_id


async def reach(scene: Scenario, step: str, state: StepState) -> None:
    """Wait until a step of the run has reached a state."""

    async def is_there() -> bool:
        return any(
            row.step_id == step and row.state is state for row in await scene.rows(InterventionStepRow)
        )

    await until_true(is_there, 60)


async def decide(loop: Loop, scene: Scenario, outcome: TaskOutcome) -> None:
    await scene.finish("15 % off", outcome, await loop.look_at_the_clock())
    await loop.ring()


async def offer(scene: Scenario) -> OfferRow:
    (row,) = await scene.rows(OfferRow)
    assert isinstance(row, OfferRow)
    return row


async def test_the_letter_after_a_yes_carries_the_code_which_ends_with_the_run(
    loop: Loop, scene: Scenario
) -> None:
    desk = DiscountDesk()
    keeper = OfferKeeper(loop.database, loop.clock, desk.open)
    async with offering(loop, scene, desk) as run_id:
        assert desk.orders == {}
        await decide(loop, scene, TaskOutcome.APPROVED)
        await loop.live(2)
        await reach(scene, "letter", StepState.DONE)
        found = await offer(scene)
        assert (found.state, found.code, found.decided_by_id) == (
            OfferState.GRANTED, "BACK-1", scene.csm_id,
        )  # fmt: skip
        (letter,) = loop.sender.accepted
        assert "15 % off for 3 months.\nCode: BACK-1, for" in letter.text
        assert found.decided_at is not None
        assert found.expires_at is not None
        assert (found.expires_at - found.decided_at).days == 21
        await keeper.look()
        assert desk.withdrawn == []
        hand = Hand("Omar", None, loop.clock.now(), loop.clock.wall_now())
        async with loop.database.transaction() as session:
            await stop_run(session, run_id, Outcome.NO_CHANGE, "They declined it.", hand)
        await loop.ring()
        await keeper.look()
        assert (desk.withdrawn, (await offer(scene)).state) == (["promo_1"], OfferState.WITHDRAWN)
    assert [order.percent for order in desk.orders.values()] == [15]


@pytest.mark.parametrize("refuses", [True, False])
async def test_without_a_yes_or_without_a_code_the_run_goes_the_other_way(
    loop: Loop, scene: Scenario, *, refuses: bool
) -> None:
    desk = DiscountDesk(refuses=refuses)
    async with offering(loop, scene, desk):
        await decide(loop, scene, TaskOutcome.APPROVED if refuses else TaskOutcome.REJECTED)
        await reach(scene, "rest", StepState.WAITING)
    expected = OfferState.WITHDRAWN if refuses else OfferState.REFUSED
    assert ((await offer(scene)).state, loop.sender.accepted) == (expected, [])
    assert desk.orders == {}


async def test_a_second_offer_is_not_even_asked_for(loop: Loop, scene: Scenario) -> None:
    desk, now = DiscountDesk(), loop.clock.now()
    async with loop.database.transaction() as session:
        await session.execute(
            insert(OfferRow).values(
                id=uuid.uuid4(),
                customer_id=scene.customer_id,
                effect_key="another",
                kind="discount",
                title="10 % off",
                percent=10,
                state=OfferState.GRANTED,
                proposed_at=now,
                expires_at=after(now, dt.timedelta(days=1)),
            )
        )
    document = one_letter(steps=STEPS, key="offer-terms")
    run_id = await open_run(loop.database, document, scene.customer_id, now)
    await start_run(loop.client, run_id)
    await reach(scene, "rest", StepState.WAITING)
    skipped = [row for row in await scene.rows(InterventionStepRow) if row.step_id == "terms"]
    assert [(row.state, row.reason) for row in skipped] == [(StepState.SKIPPED, "open_offer")]
    assert [one for one in await scene.tasks() if one.kind == "offer"] == []
    assert desk.orders == {}
