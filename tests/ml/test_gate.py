"""The gate: what knows something wins, noise is refused, and what looks too good waits for a person."""

import numpy as np
import pytest

from domain.learning_port import Check, TooLittleError
from ml.gate import Bout, judge, knowledge
from ml.leak_checks import leak_checks, planted_leak, strongest_column
from ml.samples import Floats, date_of, days_of
from ml.training import Rows, train
from tests.support.learned import QUICK, samples

FINE = Check("purge", passed=True, said="90 days apart")


def bout(strength: float, incumbent: float = 0.0, customers: int = 600, seed: int = 3) -> Bout:
    """A window in which both know a part of what drives the events."""
    random = np.random.default_rng(seed)
    who = np.repeat(np.arange(customers), 3)
    trait = random.normal(size=customers)[who]
    happened = random.random(len(who)) < 1 / (1 + np.exp(-(-2 + trait)))

    def chance(share: float) -> Floats:
        noise = random.normal(size=len(who))
        base = -np.log(1 / happened.mean() - 1) if share == 0 else -2.0
        said = share * trait + (1 - abs(share)) * 0.3 * noise if share else 0 * trait
        return np.asarray(1 / (1 + np.exp(-(base + said))), dtype=np.float64)

    return Bout(happened, who, chance(strength), chance(incumbent), "the scorecard", float(happened.mean()))


def test_what_knows_something_wins_over_what_knows_nothing() -> None:
    ruling = judge(bout(0.9), [FINE])
    assert ruling.is_won
    assert "log-loss better than that of the scorecard" in ruling.why
    assert ruling.figures["log_loss_gain"]["low"] > 0


def test_noise_is_refused_in_words() -> None:
    one = bout(0.9)
    random = np.random.default_rng(1)
    noise = np.clip(one.base_rate * np.exp(random.normal(scale=0.5, size=len(one.happened))), 0.01, 0.9)
    ruling = judge(
        Bout(one.happened, one.customers, noise, one.incumbent, "the scorecard", one.base_rate), []
    )
    assert not ruling.is_won
    assert "no better than the base rate alone" in ruling.why
    assert not knowledge(one.happened, noise, one.customers).passed
    assert knowledge(one.happened, one.challenger, one.customers).passed


def test_a_worse_challenger_does_not_take_the_place_of_a_better_champion() -> None:
    ruling = judge(bout(0.4, incumbent=0.9), [FINE])
    assert not ruling.is_won
    assert "no better than that of the scorecard" in ruling.why


def test_chances_that_are_surely_less_true_are_refused() -> None:
    one = bout(0.9, incumbent=0.8)
    shouted = np.clip(one.challenger * 2.5, 0, 0.99)
    ruling = judge(Bout(one.happened, one.customers, shouted, one.incumbent, "churn-1", one.base_rate), [])
    assert not ruling.is_won
    assert "less true than those of churn-1" in ruling.why


def test_a_failed_check_rejects_and_a_suspicion_waits_for_a_person() -> None:
    failed = judge(bout(0.9), [Check("purge", passed=False, said="10 days apart")])
    assert (failed.is_won, failed.needs_review) == (False, False)
    assert "purge failed: 10 days apart" in failed.why
    suspicion = Check("auc", passed=False, said="AUC 0.95", is_suspicion=True)
    waits = judge(bout(0.9), [suspicion])
    assert (waits.is_won, waits.needs_review) == (False, True)
    assert "a person has to look first" in waits.why


def test_too_few_events_judge_nothing() -> None:
    one = bout(0.9)
    few = np.zeros(len(one.happened), bool)
    few[:4] = True
    ruling = judge(Bout(few, one.customers, one.challenger, one.incumbent, "x", 0.01), [])
    assert not ruling.is_won
    assert "only 4 events" in ruling.why


def test_a_column_that_knows_the_outcome_is_named() -> None:
    honest = samples()
    assert strongest_column(honest, 90)[0] == honest.columns[0]
    spoiled = honest.matrix.copy()
    spoiled[:, 2] = honest.happened(90)
    leaking = samples()
    leaking.matrix[:] = spoiled
    checks = {one.name: one for one in leak_checks(leaking, 90, 0.95)}
    assert not checks["single_feature"].passed
    assert honest.columns[2] in checks["single_feature"].said
    assert not checks["auc"].passed
    assert checks["purge"].passed
    assert checks["grouping"].passed
    assert planted_leak(honest, 90).passed


def test_nothing_is_learned_from_a_handful_of_churners() -> None:
    few = samples(customers=60, rate=-9.0)
    rows = Rows(few, np.full(len(few), 0.05), ("small",) * len(few))
    with pytest.raises(TooLittleError, match="are needed"):
        train(rows, 90, is_churn=True, recipes=QUICK)


def test_the_model_that_is_judged_knows_nothing_of_the_window() -> None:
    known = samples(customers=150)
    rows = Rows(known, np.full(len(known), 0.05), ("small",) * len(known))
    trained = train(rows, 90, is_churn=True, recipes=QUICK)
    assert trained.window.samples.dates()[0] == days_of(trained.judged_until) + 1
    assert len(trained.window.samples.dates()) == 3
    assert trained.learned_from.dates()[-1] == trained.window.samples.dates()[-1]


def test_of_the_newest_dates_those_who_left_are_not_kept_alone() -> None:
    known = samples(customers=50).known_by(date_of(19_000 + 30 * 10))
    assert (known.matured(90).as_of <= 19_000 + 30 * 7).all()
