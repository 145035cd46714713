"""What the variants of an experiment bring about, and how often each is dealt next."""

from collections.abc import Sequence

import numpy as np

from domain.impact import (
    LEAST_CUSTOMERS,
    DeclaredExperiment,
    ExperimentImpact,
    Figure,
    TrialRow,
    VariantFigures,
)
from ml.bandit import best_shares
from ml.off_policy import Log, best_per_context, gain_over_constant, policy_of, snips
from ml.uplift import EMPTY, Rate, rate, share


def report_experiment(declared: DeclaredExperiment, rows: Sequence[TrialRow]) -> ExperimentImpact:
    """Return each variant's share by the experiment's own measure; rows come in the order of their deals."""
    known = [one for one in _first(rows) if declared.measure in one.good and one.arm in declared.variants]
    rates = [_rate(declared, [one for one in known if one.arm == name]) for name in declared.variants]
    shares = best_shares(rates, declared.least_share)
    by_segment, gain = _by_segment(declared, known)
    return ExperimentImpact(
        playbook=declared.playbook,
        step=declared.step,
        measure=declared.measure,
        is_measured=declared.is_measured,
        variants=tuple(
            VariantFigures(
                variant=name,
                customers=sum(row.arm == name for row in known),
                share=_figure(one),
                next_share=next_share,
            )
            for name, one, next_share in zip(declared.variants, rates, shares, strict=True)
        ),
        by_segment=by_segment,
        gain_by_segment=gain,
    )


def _first(rows: Sequence[TrialRow]) -> list[TrialRow]:
    first: dict[object, TrialRow] = {}
    for one in rows:
        first.setdefault(one.customer_id, one)
    return list(first.values())


def _rate(declared: DeclaredExperiment, rows: Sequence[TrialRow]) -> Rate:
    if not rows:
        return EMPTY
    good = np.array([one.good[declared.measure] for one in rows])
    return rate(good, np.array([one.propensity for one in rows]))


def _figure(one: Rate) -> Figure | None:
    if not one.size:
        return None
    found = share(one)
    return Figure(value=found.value, low=found.low, high=found.high)


def _by_segment(
    declared: DeclaredExperiment, known: Sequence[TrialRow]
) -> tuple[dict[str, dict[str, float]], Figure | None]:
    """Return shares per segment, empty unless the lower bound of what they would bring is above nothing.

    Both estimates have to say so: the doubly robust one, and the self-normalised one beside it.
    """
    segments = sorted({one.segment for one in known})
    if len(segments) < 2 or len(known) < LEAST_CUSTOMERS * len(declared.variants) * len(segments):  # noqa: PLR2004 - one group is no choice
        return {}, None
    log = _log(declared, known, segments)
    policy = policy_of(best_per_context(log), log.arms)
    gains = gain_over_constant(log, policy), gain_over_constant(log, policy, snips)
    gain = min(gains, key=lambda one: one.low)
    figure = Figure(value=gain.value, low=gain.low, high=gain.high)
    if gain.low <= 0:
        return {}, figure
    return {
        name: _shares(declared, [one for one in known if one.segment == name]) for name in segments
    }, figure


def _shares(declared: DeclaredExperiment, known: Sequence[TrialRow]) -> dict[str, float]:
    rates = [_rate(declared, [one for one in known if one.arm == name]) for name in declared.variants]
    return dict(zip(declared.variants, best_shares(rates, declared.least_share), strict=True))


def _log(declared: DeclaredExperiment, known: Sequence[TrialRow], segments: Sequence[str]) -> Log:
    return Log(
        customer=np.arange(len(known)),
        context=np.array([segments.index(one.segment) for one in known]),
        arm=np.array([declared.variants.index(one.arm) for one in known]),
        propensity=np.array([one.propensity for one in known]),
        reward=np.array([float(one.good[declared.measure]) for one in known]),
        arms=len(declared.variants),
    )
