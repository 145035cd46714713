"""Each risk tier with nobody there: no task is done, nothing is approved, and all that begins has an end."""

import datetime as dt
from typing import Any

import pytest

from domain.case_vocabulary import OfferState
from domain.run_walk import FINISHED
from domain.vocabulary import (
    InterventionState,
    Outcome,
    Purpose,
    RiskTier,
    Severity,
    SignalKind,
    StepState,
    TaskState,
)
from models.tables.customers import CustomerRow
from models.tables.playbooks import InterventionRow, LifecycleRow
from models.tables.runs import OfferRow
from tests.support.facts import contact
from tests.support.journeys import call, journey, letter, recipe, rest
from tests.support.loop import Loop
from tests.support.scenario import Scenario
from tests.workflows.conftest import begin

pytestmark = [pytest.mark.cadence, pytest.mark.timeout(120)]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


async def run_of(scene: Scenario, key: str) -> InterventionRow:
    (run,) = [one for one in await scene.runs() if one.playbook_key == key]
    return run


async def was_left_to_itself_and_ended(scene: Scenario, run: InterventionRow, outcome: Outcome) -> None:
    """Nobody did anything, and yet nothing of the run is open: it has an outcome and a reason."""
    assert (run.state, run.outcome) == (InterventionState.ENDED, outcome)
    assert run.outcome_reason
    assert run.expected_wake_at is None
    steps = [one for one in await scene.steps() if one.intervention_id == run.id]
    assert steps
    assert {one.step_id: one.state for one in steps if one.state not in FINISHED} == {}
    tasks = [one for one in await scene.tasks() if one.intervention_id == run.id]
    assert {one.title: one.state for one in tasks if one.state is not TaskState.CANCELLED} == {}
    assert {one.closed_by_id for one in tasks} <= {None}


async def test_low_risk_is_left_alone_and_not_forgotten(loop: Loop, scene: Scenario) -> None:
    await scene.set_tier(RiskTier.LOW, now=loop.clock.now())
    await loop.ring()
    await loop.live(20)
    assert await scene.runs() == []
    assert (await scene.tasks(), await scene.heads_ups(), await scene.decisions()) == ([], [], [])
    assert loop.sender.accepted == []
    (life,) = await scene.rows(LifecycleRow)
    assert life.expected_wake_at is not None
    assert life.expected_wake_at > loop.clock.now()


async def test_medium_risk_is_watched_and_its_owner_told_once_however_often_it_is_found(
    loop: Loop, scene: Scenario
) -> None:
    for _night in range(4):
        await scene.set_tier(RiskTier.MEDIUM, now=loop.clock.now())
        await loop.ring()
        await loop.live(5)
    (warning,) = await scene.heads_ups()
    assert (warning.dedupe_key, warning.owner_id, warning.severity) == (
        "watchlist",
        scene.csm_id,
        Severity.MEDIUM,
    )
    (customer,) = await scene.rows(CustomerRow)
    assert customer.watchlisted_at is not None
    assert (await scene.runs(), await scene.tasks(), loop.sender.accepted) == ([], [], [])


@pytest.mark.parametrize(
    ("signal", "driver", "key"),
    [
        (SignalKind.USAGE_DROP, "usage", "low-engagement"),
        (SignalKind.TICKET_OVERDUE, "support", "support-frustration"),
    ],
)
async def test_high_risk_runs_the_playbook_of_its_main_driver_to_an_outcome(
    loop: Loop, scene: Scenario, signal: SignalKind, driver: str, key: str
) -> None:
    await scene.open_signal(signal, loop.clock.now())
    await scene.set_tier(RiskTier.HIGH, driver, loop.clock.now())
    await loop.ring()
    await loop.live(29)
    assert [one.playbook_key for one in await scene.runs()] == [key]
    assert {one.categories[0] for one in loop.sender.accepted} == {key}
    await loop.live(2)
    run = await run_of(scene, key)
    await was_left_to_itself_and_ended(scene, run, Outcome.NO_CHANGE)
    assert [one for one in await scene.tasks() if one.assignee_id == scene.csm_id]


@pytest.fixture(params=[(0.2, False), (0.5, True)], ids=["little-at-stake", "enough-at-stake"])
async def critical(loop: Loop, request: pytest.FixtureRequest) -> tuple[Scenario, bool]:
    """A support case that has run for an hour when the risk becomes critical; ARR is 48,000."""
    probability, is_worth_an_offer = request.param
    scene = await begin(loop, churn_probability=probability)
    sponsor: dict[str, Any] = {"name": "Eva Chief", "email": "eva@acme.example"}
    await scene.hear(
        contact(
            "eva",
            known_at=scene.now,
            since=scene.now,
            roles=("executive_sponsor",),
            consents=(Purpose.LIFECYCLE,),
            **sponsor,
        ),
        now=loop.clock.now(),
    )
    await scene.open_signal(SignalKind.TICKET_OVERDUE, loop.clock.now())
    await scene.set_tier(RiskTier.HIGH, "support", loop.clock.now())
    await loop.ring()
    await loop.pass_time(HOUR)
    await scene.set_tier(RiskTier.CRITICAL, "support", loop.clock.now())
    await loop.ring()
    await loop.pass_time(HOUR)
    return scene, is_worth_an_offer


async def test_critical_risk_replaces_what_runs_calls_csm_manager_and_executive_and_comes_to_an_outcome(
    loop: Loop, critical: tuple[Scenario, bool]
) -> None:
    scene, is_worth_an_offer = critical
    await was_left_to_itself_and_ended(scene, await run_of(scene, "support-frustration"), Outcome.REPLACED)
    same_day = [one for one in await scene.tasks() if one.title.startswith("Today: ")]
    assert {one.assignee_id for one in same_day} == {scene.csm_id, scene.manager_id}
    assert {one.severity for one in same_day} == {Severity.CRITICAL}
    assert all(one.due_at - one.created_at <= 8 * HOUR for one in same_day)
    await loop.live(44)
    assert [(one.to.email, one.categories[0]) for one in loop.sender.accepted] == [
        ("eva@acme.example", "escalated-save")
    ]
    await loop.live(2)
    await was_left_to_itself_and_ended(scene, await run_of(scene, "escalated-save"), Outcome.NO_CHANGE)
    steps = {one.step_id: (one.state, one.reason) for one in await scene.steps()}
    offers = [(one.kind, one.state) for one in await scene.rows(OfferRow)]
    asked = [one.title for one in await scene.tasks() if one.kind == "offer"]
    if is_worth_an_offer:
        assert steps["terms"] == (StepState.DONE, "expired")
        assert offers == [("discount", OfferState.EXPIRED)]
        assert asked == ["15 % off the next term for Acme"]
    else:
        assert steps["terms"] == (StepState.SKIPPED, "expected_loss_too_small")
        assert (offers, asked) == ([], [])
    assert "present" not in steps, "what nobody granted is not promised"
    assert steps["review"] == (StepState.DONE, None)


@pytest.mark.parametrize(("expiry", "sent", "behind"), [("go", 1, 1), ("skip", 0, 1), ("end", 0, 0)])
async def test_an_approval_that_nobody_gives_expires_by_policy_and_the_run_comes_to_an_outcome(
    loop: Loop, scene: Scenario, expiry: str, sent: int, behind: int
) -> None:
    document = recipe(
        letter("letter"),
        call("call"),
        rest("rest", "3d"),
        autonomy={"default": "approval", "deadline": "2d", "on_expiry": expiry},
        goal={"when": "touchpoint", "window": "30d"},
    )
    run = await journey(loop, scene, document)
    (asked,) = await scene.tasks()
    assert (asked.kind, asked.assignee_id) == ("approval", scene.csm_id)
    await loop.live(1.5)
    assert loop.sender.accepted == []
    await loop.live(6)
    await was_left_to_itself_and_ended(scene, await run.row(), Outcome.NO_CHANGE)
    assert len(loop.sender.accepted) == sent
    assert [*await run.visits()].count("call") == behind
