"""The shipped playbooks, walked from their opening to their end: each way, and what every way keeps to."""

import functools
from datetime import timedelta
from pathlib import Path

import pytest

from domain.conditions import Value
from domain.playbook import Playbook
from domain.vocabulary import HealthStatus, Motion, Outcome, TaskOutcome, TouchTier
from models.playbooks import read_library
from tests.support.library_walks import Behaviour, Life, World
from tests.support.walks import DAY, HOUR

LIBRARY = {each.key: each for each in read_library(Path(__file__).resolve().parents[2] / "playbooks")}
SHIPPED = sorted(LIBRARY.values(), key=lambda each: each.key)
EXPANSION = [each for each in SHIPPED if each.motion is Motion.EXPANSION]
BY_CAUSE = [each for each in SHIPPED if each.goal.when == "causes_reversed"]
BY_CONTACT = [each for each in SHIPPED if each.goal.when == "touchpoint"]
MOST_MAILS = 3

SILENT = Behaviour()
BEHAVIOURS = {
    "silent": SILENT,
    "replied": Behaviour(replies_to=1),
    "replied and answered": Behaviour(replies_to=1, tasks=TaskOutcome.RESOLVED),
    "replied to the second": Behaviour(replies_to=2),
    "replied to what was approved": Behaviour(replies_to=1, answers=TaskOutcome.APPROVED),
    "reached": Behaviour(tasks=TaskOutcome.REACHED, answers=TaskOutcome.APPROVED),
    "resolved": Behaviour(tasks=TaskOutcome.RESOLVED, answers=TaskOutcome.APPROVED),
    "no answer": Behaviour(tasks=TaskOutcome.NO_ANSWER, answers=TaskOutcome.APPROVED),
    "escalated": Behaviour(tasks=TaskOutcome.ESCALATED, answers=TaskOutcome.REJECTED),
    "granted": Behaviour(answers=TaskOutcome.APPROVED),
    "unreachable": Behaviour(unreachable=True, answers=TaskOutcome.APPROVED),
    "reversed": Behaviour(reverses_after=3 * DAY),
    "reversed late": Behaviour(reverses_after=12 * DAY, tasks=TaskOutcome.NO_ANSWER),
    "worse": Behaviour(worsens_after=DAY),
    "accepted": Behaviour(meeting="accepted", answers=TaskOutcome.APPROVED),
    "declined": Behaviour(meeting="declined", answers=TaskOutcome.APPROVED),
    "met": Behaviour(meeting="held", answers=TaskOutcome.APPROVED),
    "renewed": Behaviour(renews_after=8 * DAY),
}


def worlds(document: Playbook) -> list[World]:
    """Every kind of customer that a playbook is for, each a customer of its own."""
    kinds = ((True, HealthStatus.ENGAGED, 0.0), (True, HealthStatus.AT_RISK, 90_000.0), (False, None, 0.0))
    return [
        World(tier, has_owner=owned, health=health, expected_loss=loss, customer=number)
        for tier in document.audience
        for number, (owned, health, loss) in enumerate(
            kinds, start=4
        )  # they fall on both variants of the experiment
    ]


@functools.cache
def lives(key: str) -> list[tuple[str, Life]]:
    """The playbook in each world, with people of each kind."""
    return [
        (name, Life(LIBRARY[key], world, behaviour))
        for world in worlds(LIBRARY[key])
        for name, behaviour in BEHAVIOURS.items()
    ]


every_playbook = pytest.mark.parametrize("document", SHIPPED, ids=lambda each: each.key)


@every_playbook
def test_each_step_is_reached_by_some_walk(document: Playbook) -> None:
    visited: set[str] = set().union(*(life.visited for _name, life in lives(document.key)))
    assert visited == {step.id for step in document.steps}


@every_playbook
def test_every_walk_ends_with_an_outcome_before_its_window_does(document: Playbook) -> None:
    for name, life in lives(document.key):
        assert life.ending.reason, name
        assert life.age <= document.goal.window + timedelta(days=8), (name, "an answer may hold it up")


@every_playbook
def test_no_wait_is_written_that_no_run_keeps(document: Playbook) -> None:
    assert [step.id for step in document.steps if document.is_moot(step)] == []


@every_playbook
def test_no_walk_sends_more_than_three_messages(document: Playbook) -> None:
    mails = {step.id for step in document.steps if step.send_email or step.schedule_meeting}
    for name, life in lives(document.key):
        assert len([1 for step, _at in life.sends if step in mails]) <= MOST_MAILS, name


@every_playbook
def test_nothing_is_sent_after_the_customer_has_answered(document: Playbook) -> None:
    for name, life in lives(document.key):
        if life.replied_after is not None:
            late = [step for step, at in life.sends if at > life.replied_after]
            assert late == [], name


@every_playbook
def test_a_person_knows_before_a_strategic_customer_is_written_to(document: Playbook) -> None:
    """People before robots: a task, a heads-up or a question for a yes comes first."""
    for name, life in lives(document.key):
        if life.world.touch_tier is TouchTier.STRATEGIC and life.world.has_owner:
            assert life.first_send_was_seen_by_a_person, name


@every_playbook
def test_in_silence_a_run_claims_no_success(document: Playbook) -> None:
    silent = [life for name, life in lives(document.key) if name == "silent"]
    assert {life.ending.outcome for life in silent} <= {Outcome.NO_CHANGE, Outcome.STOPPED}


@pytest.mark.parametrize("document", BY_CAUSE, ids=lambda each: each.key)
def test_a_cause_that_reverses_ends_the_run_as_saved_and_holds_its_messages_back(document: Playbook) -> None:
    down = document.recalibration.step_down
    gentler = {down, *document.ahead_of(down)} if down else set()
    for name, life in lives(document.key):
        if name == "reversed":
            assert life.ending.outcome is Outcome.SAVED
            late = {step for step, at in life.sends if at > 3 * DAY + 2 * HOUR}
            assert late <= gentler


@pytest.mark.parametrize("document", BY_CONTACT, ids=lambda each: each.key)
def test_an_answer_is_what_a_run_for_contact_wants(document: Playbook) -> None:
    found = [life for _name, life in lives(document.key) if life.replied_after is not None]
    assert {life.ending.outcome for life in found} <= {document.goal.outcome}
    assert found


@pytest.mark.parametrize("key", ["renewal-plan", "renewal-check-in", "renewal-last-month"])
def test_a_renewal_ends_its_countdown_at_once(key: str) -> None:
    for name, life in lives(key):
        if name == "renewed":
            assert life.ending.outcome is Outcome.RENEWED
            assert life.age <= 9 * DAY


@pytest.mark.parametrize(
    "health", [HealthStatus.NEUTRAL, HealthStatus.NEEDS_ATTENTION, HealthStatus.AT_RISK, None]
)
@pytest.mark.parametrize("touch_tier", list(TouchTier))
def test_sixty_days_out_and_less_than_good_alerts_csm_and_manager(
    health: HealthStatus | None, touch_tier: TouchTier
) -> None:
    life = Life(LIBRARY["renewal-check-in"], World(touch_tier, health=health))
    assert life.run.warnings[:2] == ["alert-csm", "alert-manager"]
    order = {step.id: step.notify for step in life.playbook.steps if step.notify}
    assert [order[name].to for name in life.run.warnings[:2]] == ["csm", "manager"]
    good = Life(LIBRARY["renewal-check-in"], World(touch_tier, health=HealthStatus.THRIVING))
    assert good.run.warnings == []
    assert good.sends[0][0] == "ask"


@pytest.mark.parametrize("key", ["renewal-plan", "renewal-check-in", "renewal-last-month"])
def test_good_and_bad_health_go_different_ways_to_the_renewal(key: str) -> None:
    good = Life(LIBRARY[key], World(health=HealthStatus.ENGAGED))
    bad = Life(LIBRARY[key], World(health=HealthStatus.AT_RISK))
    assert good.visited != bad.visited
    assert len(bad.run.orders) + len(bad.run.warnings) > len(good.run.orders) + len(good.run.warnings)


@pytest.mark.parametrize("document", EXPANSION, ids=lambda each: each.key)
@pytest.mark.parametrize("rank", [2, 3])
def test_nobody_speaks_of_growth_while_the_risk_is_high(document: Playbook, rank: int) -> None:
    assert document.only_if is not None
    assert not document.only_if.holds({"tier_rank": rank, "health_status": "thriving"})
    life = Life(document, World(health=HealthStatus.THRIVING, tier_rank=rank))
    assert (life.ending.outcome, life.sends, life.run.warnings) == (Outcome.STOPPED, [], [])


@pytest.mark.parametrize("key", ["value-conversation", "expansion-blocker", "contract-stagnation"])
def test_nobody_who_owes_us_is_asked_about_growth_or_the_contract(key: str) -> None:
    document = LIBRARY[key]
    facts: dict[str, Value] = {"tier_rank": 0, "health_status": "thriving"}
    assert document.only_if is not None
    assert document.only_if.holds(facts)
    assert not document.only_if.holds(facts | {"past_due_days": 3})
    life = Life(document, World(health=HealthStatus.THRIVING, past_due_days=3))
    assert (life.ending.outcome, life.sends, life.run.warnings) == (Outcome.STOPPED, [], [])


def test_an_offer_is_proposed_only_where_enough_is_at_stake() -> None:
    save = LIBRARY["escalated-save"]
    small = Life(save, World(expected_loss=14_999))
    assert "offer" not in {order.purpose for order in small.run.orders}
    granted = Life(save, World(expected_loss=15_000), Behaviour(answers=TaskOutcome.APPROVED))
    assert "present" in granted.visited
    refused = Life(save, World(expected_loss=15_000), Behaviour(answers=TaskOutcome.REJECTED))
    silent = Life(save, World(expected_loss=15_000))
    for life in (small, refused, silent):
        assert "present" not in life.visited
        assert "review" in life.visited


def test_a_critical_risk_is_a_task_of_the_same_day_for_csm_and_manager() -> None:
    first = Life(LIBRARY["escalated-save"]).run.orders[:2]
    assert [order.assignee for order in first] == ["csm", "manager"]
    assert all(
        order.due_at - Life(LIBRARY["escalated-save"]).run.view.started_at <= 8 * HOUR for order in first
    )


def test_what_rests_on_a_part_that_may_be_missing_says_so() -> None:
    for document in SHIPPED:
        kinds = {step.kind for step in document.steps}
        assert ("in_app_prompt" in kinds) is ("in_app" in document.requires), document.key
        assert ("retry_payment" in kinds) is ("billing" in document.requires), document.key
        if document.requires:
            assert "Needs " in document.description, document.key


def test_escalation_comes_first_then_high_risk_then_signals_then_what_is_proactive() -> None:
    by_kind: dict[str, list[int]] = {}
    for document in SHIPPED:
        by_kind.setdefault(document.trigger.kinds[0], []).append(document.priority)
    assert max(each.priority for each in SHIPPED) == LIBRARY["escalated-save"].priority
    assert min(by_kind["tier"]) > max(by_kind["signals"]) > max(by_kind["schedule"])
    priorities = [each.priority for each in SHIPPED]
    assert len(set(priorities)) == len(priorities), "no tie is left to the alphabet"
