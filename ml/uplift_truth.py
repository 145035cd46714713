"""Holds the nightly report against worlds whose truth is known: whether its intervals keep their word."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from domain.impact import (
    ArmFigures,
    Effect,
    Figure,
    ImpactReport,
    PlaybookImpact,
    SegmentImpact,
    TrialRow,
    Verdict,
)
from domain.interval import Interval
from domain.trial_labels import Measure
from domain.trial_sizes import WORTH_FINDING, needed_per_arm
from domain.uplift import declared_uplift
from ml.contrasts import contrast, pair, verdict
from ml.impact import report
from ml.simulation.cohorts import BEGAN, COHORTS, TRUTH_CUSTOMERS, Cohort, Truth, rows_of, truth_of
from ml.uplift import Rate, difference

DIFFERENCE = 0.02
"""Points of share from which an effect counts as help or harm in what is asked of verdicts."""
POWER_TRIALS = 400
POWER_BASES = (0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Hit:
    """One interval beside the truth that it was to cover."""

    low: float
    value: float
    high: float
    truth: float

    @property
    def covers(self) -> bool:
        """Tell whether the truth lies within."""
        return self.low <= self.truth <= self.high


@dataclass
class Tally:
    """All intervals of one kind; `level` is what they state."""

    level: float
    hits: list[Hit] = field(default_factory=list)

    def add(self, found: Figure | Interval | None, truth: float) -> None:
        """Take one interval, if there is one."""
        if found is not None:
            self.hits.append(Hit(found.low, found.value, found.high, truth))

    def document(self) -> dict[str, Any]:
        """Return coverage with its own 95 % interval (Wilson 1927), bias and width; shares of 0 to 1."""
        if not self.hits:
            return {"intervals": 0, "stated": self.level}
        covered, count = sum(one.covers for one in self.hits), len(self.hits)
        low, high = wilson(covered, count)
        errors = np.array([one.value - one.truth for one in self.hits])
        return {
            "intervals": count,
            "stated": self.level,
            "coverage": round(covered / count, 4),
            "coverage_95": [round(low, 4), round(high, 4)],
            "holds": high >= self.level,
            "bias": round(float(errors.mean()), 4),
            "bias_standard_error": round(float(errors.std()) / math.sqrt(count), 4),
            "mean_width": round(float(np.mean([one.high - one.low for one in self.hits])), 4),
        }


def wilson(hits: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share (Wilson 1927)."""
    normal = NormalDist().inv_cdf((1 + level) / 2)
    share, squared = hits / count, normal**2 / count
    middle = (share + squared / 2) / (1 + squared)
    half = normal * math.sqrt(share * (1 - share) / count + squared / count / 4) / (1 + squared)
    return middle - half, middle + half


@dataclass
class Count:
    """How often something was said, of how often it could have been."""

    said: int = 0
    of: int = 0

    def add(self, *, said: bool) -> None:
        """Take one case."""
        self.said, self.of = self.said + said, self.of + 1

    def document(self) -> dict[str, Any]:
        """Return the share with its 95 % interval."""
        if not self.of:
            return {"of": 0}
        low, high = wilson(self.said, self.of)
        share = round(self.said / self.of, 4)
        return {"share": share, "share_95": [round(low, 4), round(high, 4)], "said": self.said, "of": self.of}


@dataclass
class Measurement:
    """What twenty nights of twenty installations said, beside what is so."""

    effect_90: dict[str, Tally] = field(default_factory=lambda: defaultdict(lambda: Tally(0.9)))
    """By playbook: the effect on staying, at 90 %."""
    effect: Tally = field(default_factory=lambda: Tally(0.95))
    """As /impact shows it."""
    early: Tally = field(default_factory=lambda: Tally(0.95))
    segments: Tally = field(default_factory=lambda: Tally(0.95))
    """Of segments, drawn together, as /impact shows it."""
    uplift: Tally = field(default_factory=lambda: Tally(0.9))
    """The share of departures prevented, which the director goes by."""
    harms_found: Count = field(default_factory=Count)
    harms_imagined: Count = field(default_factory=Count)
    help_found: Count = field(default_factory=Count)
    wrong_sign: Count = field(default_factory=Count)
    listed: Count = field(default_factory=Count)
    """Segments on the do-not-disturb list, of those where contact harms."""
    listed_wrongly: Count = field(default_factory=Count)
    precision: Count = field(default_factory=Count)
    """Of the entries of the list, those where contact does harm at all."""

    sizes: list[float] = field(default_factory=list)
    """Untreated customers said to be needed, over the number by the true share that leaves."""

    def take(
        self, cohort: Cohort, truth: dict[str, Truth], rows: Sequence[TrialRow], found: PlaybookImpact
    ) -> None:
        """Hold one playbook of one night against the truth."""
        whole, both = truth["all"], pair(contrast(rows), Measure.STAYED)
        self.effect_90[cohort.playbook].add(difference(both.treated, both.untreated, level=0.9), whole.stayed)
        self.effect.add(found.late.measured, whole.stayed)
        self.early.add(found.early.measured if found.early else None, whole.recovered)
        self._judge(found.late, whole.stayed)
        ratio = found.late.needed[0] / found.late.needed[1]
        self.sizes.append(found.late.needed[1] / needed_per_arm(whole.base, ratio=ratio)[1])
        for part in found.segments:
            self._take_segment(part, truth[part.segment])

    def _judge(self, late: Effect, truth: float) -> None:
        does_harm, helps = truth < -DIFFERENCE, truth > DIFFERENCE
        (self.harms_found if does_harm else self.harms_imagined).add(said=late.verdict is Verdict.HARMS)
        if helps:
            self.help_found.add(said=late.verdict is Verdict.WORKS)
        says_wrong = late.verdict is (Verdict.WORKS if truth < 0 else Verdict.HARMS)
        self.wrong_sign.add(said=says_wrong)

    def _take_segment(self, part: SegmentImpact, truth: Truth) -> None:
        self.segments.add(part.late.drawn, truth.stayed)
        if part.uplift is not None:
            told = part.uplift
            self.uplift.add(Interval(told.value, told.low, told.high), truth.prevented)
        (self.listed if truth.stayed < -DIFFERENCE else self.listed_wrongly).add(said=part.does_harm)
        if part.does_harm:
            self.precision.add(said=truth.stayed < 0)

    def document(self) -> dict[str, Any]:
        """Return every figure."""
        everything = Tally(0.9, [hit for tally in self.effect_90.values() for hit in tally.hits])
        return {
            "effect_90": everything.document(),
            "effect_90_by_playbook": {key: one.document() for key, one in self.effect_90.items()},
            "effect_as_shown_95": self.effect.document(),
            "early_proxy_95": self.early.document(),
            "segments_drawn_together_95": self.segments.document(),
            "share_of_departures_prevented_90": self.uplift.document(),
            "harmful_playbooks_found": self.harms_found.document(),
            "harm_said_of_harmless_playbooks": self.harms_imagined.document(),
            "helpful_playbooks_found": self.help_found.document(),
            "verdicts_of_the_wrong_sign": self.wrong_sign.document(),
            "do_not_disturb_of_harmed_segments": self.listed.document(),
            "do_not_disturb_of_others": self.listed_wrongly.document(),
            "do_not_disturb_precision": self.precision.document(),
            "customers_needed_over_true_number": [
                round(float(one), 3) for one in np.quantile(self.sizes, [0.05, 0.5, 0.95])
            ],
        }


def measure(
    seeds: Sequence[int],
    customers: int,
    cohorts: Sequence[Cohort] = COHORTS,
    truth_customers: int = TRUTH_CUSTOMERS,
) -> Iterator[Measurement]:
    """Yield the measurement after each seed: one installation with all playbooks, looked at once."""
    truths = {cohort.playbook: truth_of(cohort, truth_customers) for cohort in cohorts}
    words = {cohort.playbook: declared_uplift(cohort.document.priority, None) for cohort in cohorts}
    measurement = Measurement()
    for seed in seeds:
        rows = {cohort.playbook: rows_of(cohort, customers, seed) for cohort in cohorts}
        found = by_playbook(report([row for each in rows.values() for row in each], [], BEGAN, words))
        for cohort in cohorts:
            key = cohort.playbook
            measurement.take(cohort, truths[key], rows[key], found[key])
        yield measurement


def by_playbook(found: ImpactReport) -> dict[str, PlaybookImpact]:
    """Return the playbooks of a report by key."""
    return {one.playbook: one for one in found.playbooks}


def power_of_needed(
    base: float, seed: int = 1, trials: int = POWER_TRIALS, ratio: float = 4.0
) -> dict[str, Any]:
    """Return how often the effect worth finding is found with just the customers said to be needed."""
    needed = needed_per_arm(base, ratio=ratio)
    random, found = np.random.default_rng(seed), Count()
    for number in range(trials):
        treated, untreated = (
            Rate(random.binomial(size, 1 - leaves) / size, size)
            for size, leaves in zip(needed, (base * (1 - WORTH_FINDING), base), strict=True)
        )
        arms = [
            ArmFigures(arm=name, assigned=size, matured=size, share=one.share)
            for name, size, one in zip(("treated", "holdout"), needed, (treated, untreated), strict=True)
        ]
        said = verdict(difference(treated, untreated, seed=number), arms, needed)
        found.add(said=said is Verdict.WORKS)
    return {"base": base, "treated": needed[0], "untreated": needed[1], "found": found.document()}
