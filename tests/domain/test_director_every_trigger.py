"""What holds for every ruling over a customer's life, whatever kinds of trigger the policy has."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.customer_state import CustomerState
from domain.directives import AnswerRequest, OpenSilence, Refuse, ReleaseRun, StartRun
from domain.director import decide
from domain.playbook import Playbook
from domain.vocabulary import Motion, RiskTier, SignalKind, TouchTier
from tests.support.bench import Bench, signal
from tests.support.director_worlds import Turn, lives, take

Life = tuple[Bench, list[Turn]]


def begun(bench: Bench, before: CustomerState) -> list[Playbook]:
    """The playbooks of which the last ruling let a run act: opened and released, or released at last."""
    known = {one.document.key: one.document for one in bench.policy.playbooks}
    planned = {run.id: run.playbook_key for run in before.open_runs}
    started = [start.playbook.document for start in bench.said(StartRun)]
    return started + [known[planned[one.intervention_id]] for one in bench.said(ReleaseRun)]


@given(lives())
def test_a_ruling_depends_on_what_holds_and_not_on_the_order_in_which_playbooks_are_loaded(
    life: Life,
) -> None:
    bench, turns = life
    turned = replace(bench.policy, playbooks=bench.policy.playbooks[::-1])
    for turn in turns:
        memory = bench.memory
        state = take(bench, turn)
        for policy in (bench.policy, turned):
            assert decide(state, turn.heard, policy, memory, bench.now) == bench.ruling


@pytest.mark.parametrize(
    "trouble",
    [
        {"tier": RiskTier.HIGH},
        {"tier": RiskTier.CRITICAL, "tier_is_baseline": True},
        {"signals": (signal(SignalKind.INVOICE_PAST_DUE, is_baseline=True),)},
    ],
    ids=["high", "critical-from-the-first", "past-due"],
)
@given(life=lives())
def test_nothing_is_sold_or_left_for_sale_while_risk_is_high_or_an_invoice_is_past_due(
    life: Life, trouble: dict[str, object]
) -> None:
    bench, turns = life
    for turn in turns:
        state = take(bench, replace(turn, changes=turn.changes | trouble))
        assert [one.key for one in begun(bench, state) if one.motion is Motion.EXPANSION] == []
        assert [run for run in bench.state.open_runs if run.motion is Motion.EXPANSION] == []


@given(lives(), st.sampled_from([TouchTier.MANAGED, TouchTier.TECH_TOUCH]))
def test_no_wish_and_no_occasion_reaches_the_holdout_or_somebody_who_wants_no_contact(
    life: Life, tier: TouchTier
) -> None:
    bench, turns = life
    for turn in turns:
        held_out = turn.changes | {"holdout": True, "touch_tier": tier}
        state = take(bench, replace(turn, changes=held_out))
        assert [one.key for one in begun(bench, state) if one.holdout] == []
        state = take(bench, replace(turn, changes=turn.changes | {"do_not_contact": True}))
        assert begun(bench, state) == []


@given(lives())
def test_a_customer_has_one_open_run_of_a_playbook_whatever_calls_for_it(life: Life) -> None:
    bench, turns = life
    for turn in turns:
        take(bench, turn)
        keys = Counter(run.playbook_key for run in bench.state.open_runs)
        assert set(keys.values()) <= {1}
        assert not {one.playbook_key for one in bench.said(Refuse)} & set(keys), (
            "nothing is refused twice over"
        )


@given(lives())
def test_what_rests_cools_down_lacks_a_part_was_for_once_or_is_for_others_opens_nothing(life: Life) -> None:
    bench, turns = life
    for turn in turns:
        state = take(bench, turn)
        urgent = {one.id for one in state.requests if one.is_urgent}
        ended = {run.playbook_key: run.ended_at for run in state.ended_runs}
        for start in bench.said(StartRun):
            document, asked = start.playbook.document, start.request_id
            assert document.key not in state.resting
            assert set(document.requires) <= bench.policy.parts
            assert not (document.once and document.key in ended)
            if document.key in ended and asked not in urgent:
                assert bench.now - ended[document.key] >= document.cooldown
            if asked is None:
                assert state.touch_tier in document.audience
                assert document.key not in state.unfit


@given(lives(), st.integers(60, 90))
def test_an_owner_with_more_than_anybody_can_do_gets_work_only_from_people_and_escalations(
    life: Life, load: int
) -> None:
    bench, turns = life
    for turn in turns:
        take(bench, replace(turn, changes=turn.changes | {"owner_load": load}))
        for start in bench.said(StartRun):
            document = start.playbook.document
            makes_work = any(step.create_task is not None for step in document.steps)
            assert not makes_work or document.replaces or start.request_id is not None


@given(lives())
def test_every_wish_is_answered_at_the_next_look(life: Life) -> None:
    bench, turns = life
    for turn in turns:
        state = take(bench, turn)
        answered = [one.request_id for one in bench.said(AnswerRequest)]
        opened = [one.request_id for one in bench.said(StartRun) if one.request_id is not None]
        assert sorted(answered + opened) == sorted(one.id for one in state.requests)


@given(lives())
def test_only_what_was_released_acts_and_no_more_than_the_days_rate(life: Life) -> None:
    bench, turns = life
    released = {one.document.key for one in bench.policy.playbooks if one.released}
    for turn in turns:
        state = take(bench, turn)
        for start in bench.said(StartRun):
            assert start.observed is not (start.playbook.document.key in released)
        let_go = {one.intervention_id for one in bench.said(ReleaseRun)}
        assert {run.playbook_key for run in state.open_runs if run.id in let_go} <= released
        left = bench.policy.release_left
        assert left is None or len(let_go) <= left


@given(lives(), st.floats(0, 0.999))
def test_rulings_come_to_rest_and_nothing_that_time_alone_brings_comes_before_the_next_look(
    life: Life, part: float
) -> None:
    bench, turns = life
    for turn in turns:
        take(bench, turn)
        for _ in range(6):
            if not bench.rule().directives:
                break
        assert bench.rule().directives == ()
        watched = bench.ruling.silence.due_at if bench.ruling.silence is not None else None
        look = min((one for one in (bench.ruling.next_look, watched) if one is not None), default=None)
        assert look is None or look > bench.now
        ahead = look - bench.now if look is not None else timedelta(days=400)
        bench.rule(after=ahead * part)
        assert (bench.said(StartRun), bench.said(ReleaseRun), bench.said(OpenSilence)) == ([], [], [])
