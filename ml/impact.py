"""The report of what playbooks bring about, from the assignments and what became of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from domain.impact import (
    LEAST_CUSTOMERS,
    DeclaredExperiment,
    Effect,
    Grade,
    ImpactReport,
    PlaybookImpact,
    Saved,
    TrialRow,
)
from domain.time import BusinessInstant
from domain.trial_labels import Measure
from domain.trial_sizes import needed_per_arm
from domain.trials import Arm
from ml.contrasts import (
    SMALLEST_BASE,
    Contrast,
    arm_of,
    arm_rate,
    contrast,
    figure_of,
    first_per_customer,
    has_enough,
    is_randomised,
    pair,
    randomised,
    verdict,
)
from ml.hierarchy import expect
from ml.impact_segments import Relatives, segments_of
from ml.impact_variants import report_experiment
from ml.uplift import Rate, standardised

BANDS = (0.02, 0.05, 0.1, 0.2)
"""Customers of one band of churn probability are alike enough to be matched."""


def report(
    rows: Sequence[TrialRow],
    experiments: Iterable[DeclaredExperiment],
    as_of: BusinessInstant,
    words: Mapping[str, float] | None = None,
) -> ImpactReport:
    """Return everything that the rows tell. Pure: the same rows give the same report.

    `words` has the share of departures that each playbook is taken to prevent before it is measured.
    """
    ordered = sorted(rows, key=lambda one: (one.assigned_at, str(one.customer_id), one.playbook))
    plain = [one for one in ordered if not one.step]
    by_playbook: dict[str, list[TrialRow]] = defaultdict(list)
    for one in plain:
        by_playbook[one.playbook].append(one)
    contrasts = {key: contrast(mine) for key, mine in sorted(by_playbook.items())}
    pairs = {key: pair(each, Measure.STAYED) for key, each in contrasts.items() if is_randomised(each)}
    told = words or {}
    playbooks = tuple(
        _playbook(key, by_playbook[key], each, Relatives.of(key, pairs, told), plain)
        for key, each in contrasts.items()
    )
    return ImpactReport(
        as_of=as_of,
        everything=_everything([one for one in plain if not one.has_left]),
        playbooks=playbooks,
        experiments=tuple(
            report_experiment(
                one, [row for row in ordered if (row.playbook, row.step) == (one.playbook, one.step)]
            )
            for one in experiments
        ),
        saved=_summed(saved for each in playbooks for saved in each.saved),
    )


def _playbook(
    key: str,
    rows: Sequence[TrialRow],
    mine: Contrast,
    relatives: Relatives,
    everybody: Sequence[TrialRow],
) -> PlaybookImpact:
    late = randomised(mine, Measure.STAYED, expect(relatives.pairs))
    if not has_enough(late):
        alike = [one for one in everybody if one.has_left == rows[0].has_left]
        late = _matched(rows, alike) or late
    early = randomised(mine, Measure.RECOVERED, None)
    return PlaybookImpact(
        playbook=key,
        late=late,
        early=early if any(arm.matured for arm in early.arms) else None,
        segments=segments_of(mine, relatives),
        saved=_saved(rows, late),
    )


def _everything(rows: Sequence[TrialRow]) -> Effect | None:
    """Return the effect of all optional outreach: the holdout of everything against all others.

    The probability of not being in it is its own, whichever arm of a playbook the first occasion gave.
    """
    drawn = first_per_customer(one for one in rows if 0 < one.global_share < 1)
    mine = Contrast(
        [_of_everything(one) for one in drawn if one.arm != Arm.GLOBAL_HOLDOUT],
        [_of_everything(one) for one in drawn if one.arm == Arm.GLOBAL_HOLDOUT],
        Arm.GLOBAL_HOLDOUT.value,
    )
    return randomised(mine, Measure.STAYED, None) if drawn else None


def _of_everything(one: TrialRow) -> TrialRow:
    chance = one.global_share if one.arm == Arm.GLOBAL_HOLDOUT else 1 - one.global_share
    return TrialRow(**{**vars(one), "propensity": chance})


def _matched(rows: Sequence[TrialRow], everybody: Sequence[TrialRow]) -> Effect | None:
    """Return the effect against untreated customers of other playbooks, alike in segment and risk."""
    treated = first_per_customer(one for one in rows if one.arm == Arm.TREATED)
    known = {one.customer_id for one in treated}
    untreated = first_per_customer(
        one for one in everybody if one.arm != Arm.TREATED and one.customer_id not in known
    )
    strata = _strata(treated, untreated)
    weighed = [(mine, other, weight) for mine, other, weight in strata.values() if mine.size and other.size]
    arms = (
        arm_of(Arm.TREATED.value, treated, Measure.STAYED),
        arm_of("untreated", untreated, Measure.STAYED),
    )
    if not weighed or any(arm.matured < LEAST_CUSTOMERS for arm in arms):
        return None
    measured = standardised(weighed)
    return Effect(
        measure=Measure.STAYED,
        grade=Grade.MATCHED,
        verdict=verdict(measured, arms, needed_per_arm(SMALLEST_BASE)),
        arms=arms,
        measured=figure_of(measured),
        against="untreated",
    )


def _strata(
    treated: Sequence[TrialRow], untreated: Sequence[TrialRow]
) -> dict[tuple[str, int], tuple[Rate, Rate, float]]:
    keys = sorted({_stratum(one) for one in treated})
    found = {}
    for key in keys:
        mine = arm_rate([_by_chance(one) for one in treated if _stratum(one) == key], Measure.STAYED)
        others = arm_rate([_by_chance(one) for one in untreated if _stratum(one) == key], Measure.STAYED)
        found[key] = mine, others, mine.size
    return found


def _by_chance(one: TrialRow) -> TrialRow:
    """Weigh a matched customer as one: its propensity was for another question."""
    return TrialRow(**{**vars(one), "propensity": 1.0})


def _stratum(one: TrialRow) -> tuple[str, int]:
    band = -1 if one.probability is None else int(np.searchsorted(BANDS, one.probability, side="right"))
    return one.segment, band


def _saved(rows: Sequence[TrialRow], late: Effect) -> tuple[Saved, ...]:
    """Return the revenue that stayed because of it: the effect times what the treated are worth, by currency.

    Every customer's chance is taken to have moved alike, whatever its revenue: departures of the largest are
    too few to be weighed by themselves.
    """
    treated = first_per_customer(one for one in rows if one.arm == Arm.TREATED)
    is_proven = has_enough(late)
    worth: dict[str, list[int]] = defaultdict(list)
    for one in treated:
        if (Measure.STAYED in one.good) if is_proven else one.claims:
            worth[one.currency].append(one.arr_minor)
    return tuple(
        _saved_in(currency, amounts, late if is_proven else None)
        for currency, amounts in sorted(worth.items())
    )


def _saved_in(currency: str, amounts: Sequence[int], late: Effect | None) -> Saved:
    total = sum(amounts)
    if late is None or late.measured is None:
        return Saved(
            grade=Grade.CLAIMED,
            currency=currency,
            minor=total,
            low_minor=None,
            high_minor=None,
            customers=len(amounts),
        )
    effect = late.measured
    return Saved(
        grade=late.grade,
        currency=currency,
        minor=round(effect.value * total),
        low_minor=round(effect.low * total),
        high_minor=round(effect.high * total),
        customers=len(amounts),
    )


def _summed(parts: Iterable[Saved]) -> tuple[Saved, ...]:
    """Add up by grade and currency; bounds are added, which makes the interval wider than it need be."""
    kept: dict[tuple[Grade, str], Saved] = {}
    for one in parts:
        before = kept.get((one.grade, one.currency))
        kept[one.grade, one.currency] = one if before is None else _plus(before, one)
    order = list(Grade)
    return tuple(sorted(kept.values(), key=lambda one: (order.index(one.grade), -abs(one.minor))))


def _plus(one: Saved, other: Saved) -> Saved:
    return Saved(
        grade=one.grade,
        currency=one.currency,
        minor=one.minor + other.minor,
        low_minor=None if one.low_minor is None else one.low_minor + (other.low_minor or 0),
        high_minor=None if one.high_minor is None else one.high_minor + (other.high_minor or 0),
        customers=one.customers + other.customers,
    )
