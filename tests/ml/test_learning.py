import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning_port import TooLittleError
from domain.vocabulary import RiskTier
from ml.anchors import choose_anchors
from ml.evaluation import Task, document, evaluate, split
from ml.folds import forward_folds
from ml.leak_checks import grouping, planted_leak, purge, single_feature
from ml.learning import learn, varying
from ml.metrics import auc
from ml.recipes import RECIPES
from ml.samples import NEVER, Samples, date_of, either, joined
from tests.ml.worlds import MONTH, portfolio

HORIZON = 60
FEW = RECIPES[:1] + RECIPES[-1:]
"""One of each form: the others differ by columns and depth."""


@pytest.fixture(scope="module")
def world() -> Samples:
    return portfolio(customers=700)


def task(samples: Samples) -> Task:
    dates = samples.dates()
    return Task("churn_60d", HORIZON, True, date_of(dates[7]), date_of(dates[10]), date_of(dates[11]))


def test_what_is_unknown_at_a_date_is_not_learned_from(world: Samples) -> None:
    cutoff = date_of(world.dates()[5])
    seen = world.known_by(cutoff)
    assert seen.as_of.max() <= world.dates()[5]
    ends = seen.as_of + np.where(np.isinf(seen.event_days), 0, seen.event_days)
    assert (ends <= world.dates()[5]).all()
    assert (seen.as_of + seen.observed_days <= world.dates()[5]).all()
    assert len(seen.matured(HORIZON)) < len(seen)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 16), st.integers(1, 90), st.integers(0, 5))
def test_folds_share_no_customer_and_no_horizon(months: int, purge_days: int, seed: int) -> None:
    samples = portfolio(customers=40, months=months, seed=seed)
    for fold in forward_folds(samples, purge_days, seed):
        assert not set(samples.customers[fold.train]) & set(samples.customers[fold.valid])
        assert samples.as_of[fold.train].max() + purge_days <= samples.as_of[fold.valid].min()


def test_a_known_signal_is_found_and_beats_knowing_only_the_base_rate(world: Samples) -> None:
    found = evaluate(world, task(world), seeds=2, recipes=FEW)
    told = document(found, {}, "x")
    assert told["auc"]["low"] > 0.55
    assert told["log_loss_difference"]["high"] < 0
    assert told["seeds"] == 2
    assert any(one["is_kept"] for one in told["variants"])
    assert sum(told["tiers"].values()) == pytest.approx(1)


def test_noise_is_not_taken_for_a_signal() -> None:
    noise = portfolio(strength=0.0, seed=2)
    found = evaluate(noise, task(noise), seeds=1, recipes=FEW)
    assert found.auc().value == pytest.approx(0.5, abs=0.12), "three standard errors of some sixty events"
    assert found.figures().log_loss < found.figures().constant_log_loss + 0.01


def test_the_mean_of_models_gives_the_same_twice_and_with_another_seed_nearly_so(world: Samples) -> None:
    train, _test = split(world, task(world))
    one, two = (learn(train, HORIZON, is_churn=True, recipes=FEW) for _ in range(2))
    matrix = world.select(one.columns)
    assert (one.probability(matrix) == two.probability(matrix)).all()
    other = learn(train, HORIZON, is_churn=True, recipes=FEW, seed=2)
    assert np.corrcoef(one.raw(matrix), other.raw(matrix))[0, 1] > 0.8


def test_constant_columns_are_left_out() -> None:
    samples = portfolio(customers=20, months=4)
    matrix = samples.matrix.copy()
    matrix[:, 1] = np.nan
    matrix[:, 2] = 3.0
    constant = Samples(**{**samples.__dict__, "matrix": matrix})
    assert varying(constant) == ("usage.week_over_baseline", "own.a.quantity_28")


def test_every_tier_is_populated_and_anchors_rise() -> None:
    timid = np.clip(np.random.default_rng(0).normal(0.04, 0.004, 2_000), 0.001, 1)
    anchors = choose_anchors(timid, 0.04)
    assert anchors.empty == []
    assert anchors.shares[RiskTier.CRITICAL.value] >= 0.005
    at, score = zip(*anchors.points, strict=True)
    assert list(at) == sorted(at)
    assert list(score) == [0, 25, 50, 75, 100]
    in_order = anchors.scores(np.sort(timid))
    assert (np.diff(in_order) >= 0).all()
    assert in_order.max() <= 100


def test_a_column_that_knows_the_end_is_refused_and_honest_ones_are_not(world: Samples) -> None:
    known = world.matured(HORIZON)
    assert single_feature(known, HORIZON).passed
    assert planted_leak(known, HORIZON).passed


def test_splits_that_overlap_are_noticed(world: Samples) -> None:
    train, test = split(world, task(world))
    assert purge(train, HORIZON, test).passed
    assert grouping(train, HORIZON).passed
    late = joined([train, test.where(np.arange(5))])
    assert not purge(late, HORIZON, test).passed


def test_the_same_rows_have_the_same_digest_and_others_another(world: Samples) -> None:
    assert world.digest() == portfolio(customers=700).digest()
    assert world.digest() != portfolio(customers=700, seed=1).digest()


def test_whoever_left_for_either_cause_has_left_and_is_known_as_long_as_the_longer_view() -> None:
    two = portfolio(customers=2, months=1)
    chosen = replace(two, event_days=np.array([45.0, NEVER]), observed_days=np.array([300.0, 20.0]))
    unpaid = replace(two, event_days=np.array([NEVER, 20.0]), observed_days=np.array([45.0, 300.0]))
    whole = either(chosen, unpaid)
    assert whole.event_days.tolist() == [45.0, 20.0]
    assert whole.matured(HORIZON).happened(HORIZON).tolist() == [True, True]
    assert len(chosen.matured(HORIZON)) == 1


def test_what_nobody_tells_is_not_read_and_what_reads_the_same_is_tried_once(world: Samples) -> None:
    free = replace(world, columns=("usage.week_over_baseline", "usage.trend", "usage.week", "usage.month"))
    learned = learn(free.known_by(date_of(free.dates()[9])), HORIZON, is_churn=True)
    assert [one.recipe.name for one in learned.tried] == ["lean", "core-deep", "core-line", "lean-hazard"]
    silent = replace(world, matrix=np.full_like(world.matrix, np.nan))
    with pytest.raises(TooLittleError, match="no column"):
        learn(silent, HORIZON, is_churn=True)


def test_where_no_earlier_month_shows_both_outcomes_that_is_said(world: Samples) -> None:
    quiet = replace(world, event_days=np.full(len(world), NEVER))
    with pytest.raises(TooLittleError, match="both outcomes"):
        learn(quiet, HORIZON, is_churn=True, recipes=FEW)


def test_labels_end_where_knowledge_does(world: Samples) -> None:
    assert not world.happened(HORIZON)[np.isinf(world.event_days)].any()
    last = world.where(world.as_of == world.dates()[-1])
    assert len(last.matured(HORIZON)) == 0, "those who left already would be all that is seen"
    assert np.inf == NEVER
    assert auc(np.array([True, False]), np.array([0.2, 0.1])) == 1.0
    assert MONTH * 2 == HORIZON
    assert dt.date(1970, 1, 2) == date_of(1)
