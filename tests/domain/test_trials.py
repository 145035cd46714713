"""Who is left out by chance, how that is recorded, and where contact is known to do harm."""

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from domain.commercial import Departure, Term
from domain.customer_state import DirectorPolicy, RunRequest
from domain.dealing import Before, deal
from domain.directives import AnswerRequest, Refuse, ReleaseRun, StartRun, Withhold
from domain.do_not_disturb import DoNotDisturb, Harm, Word
from domain.holdout import place_of
from domain.labels import Relation
from domain.playbook import Playbook
from domain.playbook_steps import Experiment
from domain.time import BusinessInstant, after
from domain.trial_labels import TrialLabel, late_label
from domain.trials import Arm, Trial, is_withheld, odds_of
from domain.vocabulary import HealthComponent, RiskTier, Segment, TouchTier
from tests.support.bench import DAY, DOCUMENTS, NOW, POLICY, SILENCE, Bench, high, known, reasons
from tests.support.runs import one_letter

USAGE = HealthComponent.USAGE
KEY = "low-engagement"
LIBRARY = DOCUMENTS[KEY]
TRIAL = Trial("salt", global_share=0.05, playbook_share=0.1)
IDS = [uuid.UUID(int=number) for number in range(1, 4_000)]


def customer_in(*, withheld: bool, key: str = KEY) -> uuid.UUID:
    return next(one for one in IDS if (place_of(one, salt="salt", name=key) < 0.1) is withheld)


def bench(*, withheld: bool, trial: Trial = TRIAL, **changes: Any) -> Bench:
    """A customer whose use has fallen, in the holdout of the playbook for that or not."""
    policy = replace(POLICY, trial=trial)
    return Bench(high(USAGE, customer_id=customer_in(withheld=withheld), **changes), policy)


def test_each_playbook_withholds_its_own_share_for_life_and_independently() -> None:
    other = known(KEY, key="other").document
    mine = {one for one in IDS if is_withheld(TRIAL, LIBRARY, TouchTier.MANAGED, one)}
    theirs = {one for one in IDS if is_withheld(TRIAL, other, TouchTier.MANAGED, one)}
    assert len(mine) / len(IDS) == pytest.approx(0.1, abs=0.02)
    assert len(mine & theirs) / len(mine) == pytest.approx(0.1, abs=0.05)
    wider = replace(TRIAL, playbook_share=0.2)
    assert mine < {one for one in IDS if is_withheld(wider, LIBRARY, TouchTier.MANAGED, one)}
    assert not any(is_withheld(TRIAL, LIBRARY, TouchTier.STRATEGIC, one) for one in IDS)


def test_the_chances_of_all_arms_add_up_to_one() -> None:
    odds = odds_of(TRIAL, LIBRARY, TouchTier.MANAGED)
    assert sum(odds.of(arm) for arm in Arm) == pytest.approx(1)
    assert odds.of(Arm.HOLDOUT) == pytest.approx(0.95 * 0.1)
    assert odds_of(TRIAL, LIBRARY, TouchTier.STRATEGIC).of(Arm.TREATED) == 1


def test_what_a_playbook_says_of_itself_comes_before_the_installations_share() -> None:
    stated = LIBRARY.model_copy(update={"holdout_share": 0.3, "holdout_exempt": ()})
    assert odds_of(TRIAL, stated, TouchTier.STRATEGIC).playbook == 0.3
    renewal = DOCUMENTS["renewal-check-in"]
    assert odds_of(TRIAL, renewal, TouchTier.MANAGED).playbook == 0
    only_work = one_letter(steps=[{"id": "call", "create_task": {"title": "Call", "body": "Now"}}])
    assert odds_of(TRIAL, only_work, TouchTier.MANAGED).playbook == 0


@pytest.mark.parametrize("share", [-0.1, 0.6])
def test_a_share_is_at_most_half(share: float) -> None:
    with pytest.raises(ValidationError):
        one_letter(holdout_share=share)


def test_who_is_withheld_is_told_once_by_name_and_recorded_once_per_occasion() -> None:
    customer = bench(withheld=True)
    customer.rule()
    assert customer.started == []
    assert reasons(customer.said(Refuse)) == [(KEY, "playbook_holdout")]
    (omission,) = customer.said(Withhold)
    assert (omission.assignment.arm, omission.assignment.occasion) == (Arm.HOLDOUT, "tier:high")
    assert omission.assignment.propensity == pytest.approx(0.095)
    assert customer.rule(after=DAY).directives == ()
    window = LIBRARY.goal.window + LIBRARY.cooldown
    customer.rule(after=window)
    assert [one.assignment.arm for one in customer.said(Withhold)] == [Arm.HOLDOUT]


def test_who_is_not_withheld_is_recorded_as_treated_with_its_chance() -> None:
    customer = bench(withheld=False)
    customer.rule()
    (start,) = customer.said(StartRun)
    assert start.assignment is not None
    assert (start.assignment.arm, start.assignment.global_share) == (Arm.TREATED, 0.05)
    assert start.assignment.propensity == pytest.approx(0.95 * 0.9)


def test_the_holdout_of_everything_is_recorded_as_what_it_is() -> None:
    customer = bench(withheld=True, holdout=True)
    customer.rule()
    assert reasons(customer.said(Refuse)) == [(KEY, "holdout")]
    (omission,) = customer.said(Withhold)
    assert (omission.assignment.arm, omission.assignment.propensity) == (Arm.GLOBAL_HOLDOUT, 0.05)


@pytest.mark.parametrize("changes", [{"do_not_contact": True}, {"resting": {KEY: None}}])
def test_who_would_have_got_no_run_anyway_is_held_against_nobody(changes: dict[str, Any]) -> None:
    for holdout in (False, True):
        customer = bench(withheld=True, holdout=holdout, **changes)
        customer.rule()
        assert (customer.started, customer.said(Withhold)) == ([], [])


def test_before_a_release_nothing_is_recorded_and_a_release_is() -> None:
    observing = DirectorPolicy((known(KEY, released=False),), SILENCE, trial=TRIAL)
    for withheld in (True, False):
        customer = Bench(high(USAGE, customer_id=customer_in(withheld=withheld)), observing)
        customer.rule()
        assert customer.said(Withhold) == []
        assert [one.assignment for one in customer.said(StartRun)] == [None] * (not withheld)
        customer.policy = DirectorPolicy((known(KEY),), SILENCE, trial=TRIAL)
        customer.rule(after=DAY)
        arms = [one.assignment for one in customer.said(Withhold)]
        released = [one.assignment for one in customer.said(ReleaseRun) if one.assignment is not None]
        assert [one.arm for one in (*arms, *released)] == [Arm.HOLDOUT if withheld else Arm.TREATED]


def test_a_persons_wish_is_no_trial() -> None:
    wish = RunRequest(uuid.UUID(int=5), KEY, is_urgent=False, by="Ada")
    quiet = replace(TRIAL, quiet=frozenset({(KEY, Segment.SMALL)}))
    customer = bench(withheld=True, trial=quiet, requests=(wish,), tier=RiskTier.LOW, segment=Segment.SMALL)
    customer.rule()
    assert (customer.started, customer.said(AnswerRequest)) == ([KEY], [])
    assert [one.assignment.propensity for one in customer.said(StartRun) if one.assignment] == [1.0]


def test_a_playbook_is_not_opened_where_it_was_measured_to_do_harm() -> None:
    quiet = replace(TRIAL, quiet=frozenset({(KEY, Segment.SMALL)}))
    harmed = bench(withheld=False, trial=quiet, segment=Segment.SMALL)
    harmed.rule()
    assert reasons(harmed.said(Refuse)) == [(KEY, "do_not_disturb")]
    assert harmed.said(Withhold) == []
    spared = bench(withheld=False, trial=quiet, segment=Segment.ENTERPRISE)
    spared.rule()
    assert spared.started == [KEY]


def test_a_persons_word_outweighs_what_was_measured_until_it_is_taken_back() -> None:
    harm = Harm(
        playbook=KEY, segment=Segment.SMALL, effect=-0.1, low=-0.2, high=-0.02, customers=90, found_at=NOW
    )
    found = DoNotDisturb(found=(harm,))
    assert found.quiet == {(KEY, Segment.SMALL)}
    contact = Word(playbook=KEY, segment=Segment.SMALL, contact=True, reason="They asked for it")
    lifted = found.with_word(contact, "Ada", NOW)
    assert (lifted.quiet, lifted.words[0].by) == (frozenset(), "Ada")
    peace = Word(playbook=KEY, segment=Segment.ENTERPRISE, contact=False, reason="A large deal is open")
    assert lifted.with_word(peace, "Ada", NOW).quiet == {(KEY, Segment.ENTERPRISE)}
    assert lifted.without_word(KEY, Segment.SMALL).quiet == found.quiet


def test_an_older_document_has_the_defaults() -> None:
    body = one_letter().model_dump(mode="json", by_alias=True)
    del body["holdout_share"], body["holdout_exempt"]
    assert Playbook.model_validate(body) == one_letter()


VARIANTS = Experiment.model_validate(
    {"variants": [{"name": "a", "next": "x", "weight": 3}, {"name": "b", "next": "y"}], "choose": "measured"}
)


def test_a_deal_goes_by_shares_where_all_variants_have_one_and_says_its_chance() -> None:
    dealt = [deal(VARIANTS, str(one), {"a": 0.1, "b": 0.9}) for one in IDS]
    share = sum(one.variant.name == "b" for one in dealt) / len(dealt)
    assert share == pytest.approx(0.9, abs=0.02)
    assert {one.variant.name: round(one.propensity, 9) for one in dealt} == {"a": 0.1, "b": 0.9}
    by_weight = deal(VARIANTS, "salt", {"a": 1.0})
    assert by_weight.propensity in {0.75, 0.25}


def test_who_was_dealt_before_keeps_it_and_a_variant_that_is_gone_is_dealt_anew() -> None:
    before = Before("a", 0.5)
    kept = [deal(VARIANTS, str(one), {"a": 0.1, "b": 0.9}, before) for one in IDS[:50]]
    assert {(one.variant.name, one.propensity) for one in kept} == {("a", 0.5)}, "there was no other throw"
    assert deal(VARIANTS, "salt", None, Before("gone", 0.5)) == deal(VARIANTS, "salt")


def test_least_shares_leave_room_for_all() -> None:
    three = [{"name": name, "next": "x"} for name in "abc"]
    with pytest.raises(ValidationError, match="at most 1"):
        Experiment.model_validate({"variants": three, "least_share": 0.4})


LATER = after(NOW, dt.timedelta(days=130))


def relation(*, ends_in: float | None = None, back_in: float | None = None, growth: float = 1.0) -> Relation:
    began = BusinessInstant(NOW - dt.timedelta(days=400))
    ended = after(NOW, dt.timedelta(days=ends_in)) if ends_in is not None else None
    grown = () if growth == 1 else (_term(after(NOW, 20 * DAY), None, round(10_000 * (growth - 1))),)
    back = (_term(after(NOW, back_in * DAY), None),) if back_in is not None else ()
    said = (Departure(ended, ended, "other", reactivated=False),) if ended is not None else ()
    return Relation(began, (_term(began, ended), *grown, *back), said)


def _term(start: BusinessInstant, end: BusinessInstant | None, mrr: int = 10_000) -> Term:
    return Term(start, end, end, mrr, "USD", is_trial=False, billing_months=1, canceled=end is not None)


@pytest.mark.parametrize(
    ("told", "tier", "renews_in", "label"),
    [
        (relation(ends_in=60), RiskTier.HIGH, None, TrialLabel.CHURNED),
        (relation(ends_in=95), RiskTier.HIGH, None, TrialLabel.SAVED),
        (relation(), RiskTier.CRITICAL, 30, TrialLabel.SAVED),
        (relation(), RiskTier.LOW, 30, TrialLabel.RENEWED),
        (relation(growth=1.2), None, 200, TrialLabel.EXPANDED),
        (relation(), None, None, TrialLabel.NO_CHANGE),
        (relation(ends_in=-40, back_in=50), None, None, TrialLabel.REACTIVATED),
        (relation(ends_in=-40), None, None, TrialLabel.LOST),
    ],
)
def test_what_became_of_a_customer_is_one_of_eight_words(
    told: Relation, tier: RiskTier | None, renews_in: int | None, label: TrialLabel
) -> None:
    renewal = (NOW + renews_in * DAY).date() if renews_in is not None else None
    became = late_label(told, NOW, LATER, tier=tier, renewal_on=renewal)
    assert became.label is label
    assert became.is_good is (label not in {TrialLabel.CHURNED, TrialLabel.LOST})


def test_before_its_window_has_passed_a_label_is_unknown() -> None:
    early = late_label(relation(), NOW, after(NOW, 100 * DAY), tier=None, renewal_on=None)
    assert (early.label, early.is_good) == (None, None)
