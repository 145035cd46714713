"""Who of one playbook is held against whom, and what chance has proven of the difference."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.impact import LEAST_CUSTOMERS, ArmFigures, Effect, Figure, Grade, TrialRow, Verdict
from domain.interval import Interval
from domain.trial_labels import Measure
from domain.trial_sizes import needed_per_arm
from domain.trials import Arm
from ml.hierarchy import Expectation, Pair, drawn_together
from ml.uplift import EMPTY, Rate, difference, rate

SMALLEST_BASE = 0.01
"""Where hardly anybody leaves, data are counted as if one in a hundred did."""


@dataclass
class Contrast:
    """The rows of one comparison: one per customer, treated and untreated."""

    treated: list[TrialRow] = field(default_factory=list)
    untreated: list[TrialRow] = field(default_factory=list)
    against: str = Arm.HOLDOUT.value


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


def is_randomised(one: Contrast) -> bool:
    """Tell whether chance has put somebody into both arms."""
    return bool(one.treated and one.untreated)


def randomised(mine: Contrast, measure: Measure, expected: Expectation | None) -> Effect:
    """Return the effect that chance has proven, as far as it has."""
    both = pair(mine, measure)
    arms = (arm_of(Arm.TREATED.value, mine.treated, measure), arm_of(mine.against, mine.untreated, measure))
    measured = difference(both.treated, both.untreated) if all(arm.matured for arm in arms) else None
    needed = _needed(mine, both)
    drawn = drawn_together(both, expected) if measured is not None and expected is not None else None
    return Effect(
        measure=measure,
        grade=Grade.RANDOMISED,
        verdict=verdict(measured, arms, needed),
        arms=arms,
        measured=figure_of(measured),
        drawn=figure_of(drawn),
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


def arm_of(name: str, rows: Sequence[TrialRow], measure: Measure) -> ArmFigures:
    """Return one arm's figures by a measure."""
    matured = sum(measure in one.good for one in rows)
    share = arm_rate(rows, measure).share if matured else None
    return ArmFigures(arm=name, assigned=len(rows), matured=matured, share=share)


def has_enough(late: Effect) -> bool:
    """Tell whether both arms have so many customers that an interval may be acted on."""
    return late.measured is not None and all(arm.matured >= LEAST_CUSTOMERS for arm in late.arms)


def figure_of(found: Interval | None) -> Figure | None:
    """Return an interval as it is stored."""
    return Figure(value=found.value, low=found.low, high=found.high) if found is not None else None
