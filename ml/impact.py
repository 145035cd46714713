"""The report of what playbooks bring about, from the assignments and what became of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.impact import (
    LEAST_CUSTOMERS,
    ArmFigures,
    DeclaredExperiment,
    Effect,
    Figure,
    Grade,
    ImpactReport,
    PlaybookImpact,
    Saved,
    SegmentImpact,
    TrialRow,
    Verdict,
)
from domain.time import BusinessInstant
from domain.trial_labels import Measure
from domain.trial_sizes import needed_per_arm
from domain.trials import Arm
from domain.uplift import Uplift
from ml.bootstrap import Interval
from ml.hierarchy import WIDE, Expectation, Pair, declared, drawn_together, expect, prevented
from ml.impact_variants import report_experiment
from ml.uplift import EMPTY, Rate, difference, rate, standardised

HARM_LEVEL = 0.99
"""Nights look again and again: what stops a playbook has to be surer than what is shown."""
UNDECLARED = 0.05
"""What a playbook is taken to prevent that says nothing, not even by a priority."""
SMALLEST_BASE = 0.01
"""Where hardly anybody leaves, data are counted as if one in a hundred did."""
BANDS = (0.02, 0.05, 0.1, 0.2)
"""Customers of one band of churn probability are alike enough to be matched."""


@dataclass
class Contrast:
    """The rows of one comparison: one per customer, treated and untreated."""

    treated: list[TrialRow] = field(default_factory=list)
    untreated: list[TrialRow] = field(default_factory=list)
    against: str = Arm.HOLDOUT.value


@dataclass(frozen=True)
class Relatives:
    """What is thought of a playbook before its own customers are looked at."""

    pairs: Sequence[Pair]
    """Of all other playbooks that chance has measured."""
    declared: float
    """The share of departures that it says it prevents."""

    @classmethod
    def of(cls, key: str, pairs: Mapping[str, Pair], words: Mapping[str, float]) -> "Relatives":
        """Return those of one playbook."""
        others = [other for name, other in pairs.items() if name != key]
        return cls(others, words.get(key, UNDECLARED))


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
    pairs = {key: pair(each, Measure.STAYED) for key, each in contrasts.items() if _is_randomised(each)}
    told = words or {}
    playbooks = tuple(
        _playbook(key, by_playbook[key], each, Relatives.of(key, pairs, told), plain)
        for key, each in contrasts.items()
    )
    return ImpactReport(
        as_of=as_of,
        everything=_everything(plain),
        playbooks=playbooks,
        experiments=tuple(
            report_experiment(
                one, [row for row in ordered if (row.playbook, row.step) == (one.playbook, one.step)]
            )
            for one in experiments
        ),
        saved=_summed(saved for each in playbooks for saved in each.saved),
    )


def first_per_customer(rows: Iterable[TrialRow]) -> list[TrialRow]:
    """Return each customer's first row: what came later has been touched by what was done at the first."""
    first: dict[object, TrialRow] = {}
    for one in rows:
        first.setdefault(one.customer_id, one)
    return list(first.values())


def contrast(rows: Sequence[TrialRow]) -> Contrast:
    """Return who of one playbook is held against whom: its own holdout, else the holdout of everything."""
    drawn = first_per_customer(one for one in rows if one.propensity < 1)
    own = [one for one in drawn if one.arm == Arm.HOLDOUT]
    others = [one for one in drawn if one.arm == Arm.GLOBAL_HOLDOUT]
    treated = [one for one in drawn if one.arm == Arm.TREATED]
    if own or not others:
        return Contrast(treated, own)
    return Contrast(treated, others, Arm.GLOBAL_HOLDOUT.value)


def pair(one: Contrast, measure: Measure) -> Pair:
    """Return the two arms' shares by a measure, of those whose window has passed."""
    return Pair(arm_rate(one.treated, measure), arm_rate(one.untreated, measure))


def arm_rate(rows: Sequence[TrialRow], measure: Measure) -> Rate:
    """Return the share of one arm that did well."""
    known = [one for one in rows if measure in one.good]
    if not known:
        return EMPTY
    good = np.array([one.good[measure] for one in known])
    return rate(good, np.array([one.propensity for one in known]))


def _is_randomised(one: Contrast) -> bool:
    return bool(one.treated and one.untreated)


def _playbook(
    key: str,
    rows: Sequence[TrialRow],
    mine: Contrast,
    relatives: Relatives,
    everybody: Sequence[TrialRow],
) -> PlaybookImpact:
    late = _randomised(mine, Measure.STAYED, expect(relatives.pairs))
    if not _has_enough(late):
        late = _matched(rows, everybody) or late
    early = _randomised(mine, Measure.RECOVERED, None)
    return PlaybookImpact(
        playbook=key,
        late=late,
        early=early if any(arm.matured for arm in early.arms) else None,
        segments=_segments(mine, relatives),
        saved=_saved(rows, late),
    )


def _randomised(mine: Contrast, measure: Measure, expected: Expectation | None) -> Effect:
    """Return the effect that chance has proven, as far as it has."""
    both = pair(mine, measure)
    arms = (_arm(Arm.TREATED.value, mine.treated, measure), _arm(mine.against, mine.untreated, measure))
    measured = difference(both.treated, both.untreated) if all(arm.matured for arm in arms) else None
    needed = _needed(mine, both)
    drawn = drawn_together(both, expected) if measured is not None and expected is not None else None
    return Effect(
        measure=measure,
        grade=Grade.RANDOMISED,
        verdict=verdict(measured, arms, needed),
        arms=arms,
        measured=_figure(measured),
        drawn=_figure(drawn),
        against=mine.against,
        needed=needed,
        missing=max(needed[1] - arms[1].matured, 0),
    )


def verdict(measured: Interval | None, arms: Sequence[ArmFigures], needed: tuple[int, int]) -> Verdict:
    """Say what an interval allows to say: an effect, its absence, or that it is too early."""
    if measured is None or any(arm.matured < LEAST_CUSTOMERS for arm in arms):
        return Verdict.NOT_ENOUGH
    if measured.low > 0:
        return Verdict.WORKS
    if measured.high < 0:
        return Verdict.HARMS
    is_complete = all(arm.matured >= least for arm, least in zip(arms, needed, strict=True))
    return Verdict.NO_DIFFERENCE if is_complete else Verdict.NOT_ENOUGH


def _needed(mine: Contrast, both: Pair) -> tuple[int, int]:
    """Return how many customers the arms need, by the share that leaves untreated and sizes as they come."""
    base = 1 - both.untreated.share if both.untreated.size >= LEAST_CUSTOMERS else _bad_share(both)
    ratio = len(mine.treated) / len(mine.untreated) if mine.treated and mine.untreated else 1.0
    return needed_per_arm(max(base, SMALLEST_BASE), ratio=ratio)


def _bad_share(both: Pair) -> float:
    size = both.treated.size + both.untreated.size
    return (both.treated.bad + both.untreated.bad) / size if size else SMALLEST_BASE


def _arm(name: str, rows: Sequence[TrialRow], measure: Measure) -> ArmFigures:
    matured = sum(measure in one.good for one in rows)
    share = arm_rate(rows, measure).share if matured else None
    return ArmFigures(arm=name, assigned=len(rows), matured=matured, share=share)


def _segments(mine: Contrast, relatives: Relatives) -> tuple[SegmentImpact, ...]:
    """Return each segment's effect, drawn towards the playbook's other segments, and these towards all."""
    parts: dict[str, Contrast] = {}
    for name in sorted({one.segment for one in (*mine.treated, *mine.untreated)}):
        parts[name] = Contrast(
            [one for one in mine.treated if one.segment == name],
            [one for one in mine.untreated if one.segment == name],
            mine.against,
        )
    pairs = {name: pair(each, Measure.STAYED) for name, each in parts.items() if _is_randomised(each)}
    above = expect(relatives.pairs).summary() if relatives.pairs else WIDE
    found = []
    for name, each in parts.items():
        others = [other for key, other in pairs.items() if key != name]
        late = _of_segment(_randomised(each, Measure.STAYED, expect(others, above)))
        harm = _does_harm(late, each, others, above)
        uplift = _uplift(pairs[name], others, relatives) if _has_enough(late) else None
        found.append(SegmentImpact(segment=name, late=late, does_harm=harm, uplift=uplift))
    return tuple(found)


def _uplift(mine: Pair, others: Sequence[Pair], relatives: Relatives) -> Uplift:
    """Return the share of departures that is prevented, drawn towards relatives and what is declared."""
    base = min(max(1 - mine.untreated.share, SMALLEST_BASE), 1 - SMALLEST_BASE)
    above = expect(relatives.pairs, declared(relatives.declared, base)).summary()
    found = prevented(mine, expect(others, above))
    customers = round(mine.treated.size + mine.untreated.size)
    return Uplift(value=found.value, low=found.low, high=found.high, customers=customers)


def _of_segment(late: Effect) -> Effect:
    """Judge a segment by its drawn effect: of several segments one soon stands out by chance alone."""
    if late.drawn is None:
        return late
    drawn = Interval(late.drawn.value, late.drawn.low, late.drawn.high)
    return late.model_copy(update={"verdict": verdict(drawn, late.arms, late.needed)})


def _does_harm(late: Effect, mine: Contrast, others: Sequence[Pair], above: tuple[float, float]) -> bool:
    """Tell whether even the upper bound, drawn towards the relatives, says that contact drives away."""
    if late.measured is None or any(arm.matured < LEAST_CUSTOMERS for arm in late.arms):
        return False
    drawn = drawn_together(pair(mine, Measure.STAYED), expect(others, above), level=HARM_LEVEL)
    return drawn.high < 0


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
    return _randomised(mine, Measure.STAYED, None) if drawn else None


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
        _arm(Arm.TREATED.value, treated, Measure.STAYED),
        _arm("untreated", untreated, Measure.STAYED),
    )
    if not weighed or any(arm.matured < LEAST_CUSTOMERS for arm in arms):
        return None
    measured = standardised(weighed)
    return Effect(
        measure=Measure.STAYED,
        grade=Grade.MATCHED,
        verdict=verdict(measured, arms, needed_per_arm(SMALLEST_BASE)),
        arms=arms,
        measured=_figure(measured),
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


def _has_enough(late: Effect) -> bool:
    return late.measured is not None and all(arm.matured >= LEAST_CUSTOMERS for arm in late.arms)


def _saved(rows: Sequence[TrialRow], late: Effect) -> tuple[Saved, ...]:
    """Return the revenue that stayed because of it: the effect times what the treated are worth, by currency.

    Every customer's chance is taken to have moved alike, whatever its revenue: departures of the largest are
    too few to be weighed by themselves.
    """
    treated = first_per_customer(one for one in rows if one.arm == Arm.TREATED)
    is_proven = _has_enough(late)
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


def _figure(found: Interval | None) -> Figure | None:
    return Figure(value=found.value, low=found.low, high=found.high) if found is not None else None
