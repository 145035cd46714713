"""Whom playbooks of a measurement open for, as it would be kept, and what they truly bring about.

The arms are dealt by the product's own draw (domain/trials.py), sticky by customer; the lives are those of
the simulator. Nothing here is known to an estimate but the rows.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from domain.holdout import is_in_holdout
from domain.impact import TrialRow
from domain.playbook import Playbook
from domain.time import BusinessInstant
from domain.trial_labels import STAY_DAYS, WINDOWS, Measure
from domain.trials import Arm, Assignment, Trial, assign, is_withheld
from domain.vocabulary import Segment, TouchTier
from ml.simulation.archetypes import Archetype
from ml.simulation.population import Mask
from ml.simulation.treatments import CONTROL
from ml.simulation.trials import TrialPlan, follow

BEGAN = BusinessInstant(dt.datetime(2025, 1, 6, 9, tzinfo=dt.UTC))
OPENING_DAYS = 180
"""Runs open over so long."""
LOOKED_AFTER_DAYS = 255
"""The night of the report: the newest quarter of the customers has not matured by then."""
GLOBAL_SHARE, OWN_SHARE = 0.05, 0.2
TRUTH_CUSTOMERS = 20_000
TRUTH_SEED = 7_000_003
ARR_MINOR: Mapping[Segment, int] = {
    Segment.SMALL: 600_000,
    Segment.MID_MARKET: 2_400_000,
    Segment.ENTERPRISE: 9_600_000,
}


@dataclass(frozen=True)
class Part:
    """Customers of some sizes, by the stories that bring them in; None: as they are in the world."""

    stories: Mapping[Archetype, float] | None = None
    segments: tuple[Segment, ...] = tuple(Segment)
    false_alarms: float = 0.15

    def plan(self, customers: int, seed: int) -> TrialPlan:
        """Return who takes part."""
        return TrialPlan(customers, seed, shares=self.stories, false_alarms=self.false_alarms, days=STAY_DAYS)


@dataclass(frozen=True)
class Cohort:
    """One playbook: what it does, and for whom it opens."""

    playbook: str
    treatment: str
    parts: tuple[Part, ...] = (Part(),)

    @property
    def document(self) -> Playbook:
        """Return what the product's draw reads of it."""
        return Playbook.model_validate(
            {
                "key": self.playbook,
                "name": self.playbook,
                "description": "Of a measurement.",
                "motion": "retention",
                "priority": 50,
                "holdout_share": OWN_SHARE,
                "trigger": {"manual": True},
                "steps": [{"id": "tell", "notify": {"title": "t", "body": "b"}}],
            }
        )


SILENT = {Archetype.SILENT: 1.0}
COHORTS = (
    Cohort("usage-nudge", "usage-nudge"),
    Cohort("value-conversation", "value-conversation"),
    Cohort("escalated-save", "escalated-save"),
    Cohort("personal-note", "personal-note"),
    Cohort("nudge-the-silent", "usage-nudge", (Part(SILENT, false_alarms=0.0),)),
    Cohort(
        "nudge-by-size",
        "usage-nudge",
        (
            Part({Archetype.FAILING_PAYMENT: 1.0}, (Segment.SMALL,)),
            Part({Archetype.DECLINING: 1.0}, (Segment.MID_MARKET,)),
            Part(SILENT, (Segment.ENTERPRISE,)),
        ),
    ),
)
"""Two help, two hardly do anything, and two drive customers away: everywhere, or in one segment."""


@dataclass(frozen=True)
class Truth:
    """What a playbook does to those it opens for: shares (0 to 1), above 0 for the better."""

    stayed: float
    recovered: float
    base: float
    """Share that leaves untreated."""

    @property
    def prevented(self) -> float:
        """The share of departures that it prevents."""
        return self.stayed / self.base if self.base else 0.0


def truth_of(cohort: Cohort, customers: int = TRUTH_CUSTOMERS) -> dict[str, Truth]:
    """Return the truth by segment and of `all`, from twin worlds that differ in treatment alone."""
    masks, twins = [], []
    for place, part in enumerate(cohort.parts):
        plan = part.plan(customers, TRUTH_SEED + place)
        enrolled = plan.enrolled()
        arms = (np.full(customers, name, dtype="<U40") for name in (cohort.treatment, CONTROL))
        lived = [follow(plan, enrolled, arm) for arm in arms]
        segments = np.array([one.value for one in enrolled.segments])
        mine = np.isin(segments, [one.value for one in part.segments])
        masks.append(segments[mine])
        twins.append([_good(recovered[mine], left[mine] > STAY_DAYS) for recovered, left in lived])
    names = np.concatenate(masks)
    treated, untreated = (np.concatenate([twin[side] for twin in twins], axis=1) for side in (0, 1))
    groups = {name: names == name for name in (one.value for one in Segment)}
    groups["all"] = np.ones(len(names), dtype=bool)
    return {name: _truth(treated[:, mask], untreated[:, mask]) for name, mask in groups.items() if mask.any()}


def _good(recovered: Mask, stayed: Mask) -> Mask:
    return np.stack([recovered, stayed])


def _truth(treated: Mask, untreated: Mask) -> Truth:
    recovered, stayed = (treated.mean(axis=1) - untreated.mean(axis=1)).tolist()
    return Truth(stayed, recovered, float(1 - untreated[1].mean()))


def rows_of(cohort: Cohort, customers: int, seed: int) -> list[TrialRow]:
    """Return the assignments of one playbook as `load_trial_rows` would on the night of the report."""
    trial = Trial(f"salt-{seed}", GLOBAL_SHARE, OWN_SHARE)
    return [
        row
        for place, part in enumerate(cohort.parts)
        for row in _rows(cohort, part, part.plan(customers, seed * 1_000 + place), trial)
    ]


def _rows(cohort: Cohort, part: Part, plan: TrialPlan, trial: Trial) -> Iterator[TrialRow]:
    enrolled, document = plan.enrolled(), cohort.document
    start = uuid.uuid5(uuid.NAMESPACE_URL, f"{cohort.playbook}/{plan.seed}").int
    ids = [uuid.UUID(int=(start + number) % 2**128) for number in range(plan.customers)]
    dealt = [_deal(trial, document, one) for one in ids]
    treatments = [cohort.treatment if one.arm is Arm.TREATED else CONTROL for one in dealt]
    recovered, left = follow(plan, enrolled, np.array(treatments, dtype="<U40"))
    days = np.random.default_rng([plan.seed, 9]).uniform(0, OPENING_DAYS, plan.customers)
    for number, segment in enumerate(enrolled.segments):
        if segment in part.segments:
            good = {
                Measure.RECOVERED: bool(recovered[number]),
                Measure.STAYED: bool(left[number] > STAY_DAYS),
            }
            yield _row(cohort, ids[number], segment, dealt[number], float(days[number]), good)


def _deal(trial: Trial, document: Playbook, customer_id: uuid.UUID) -> Assignment:
    tier = TouchTier.MANAGED
    if is_in_holdout(customer_id, salt=trial.salt, share=trial.global_share, tier=tier):
        arm = Arm.GLOBAL_HOLDOUT
    else:
        arm = Arm.HOLDOUT if is_withheld(trial, document, tier, customer_id) else Arm.TREATED
    return assign(trial, document, tier, arm, "tier:high")


def _row(
    cohort: Cohort,
    customer_id: uuid.UUID,
    segment: Segment,
    dealt: Assignment,
    day: float,
    good: dict[Measure, bool],
) -> TrialRow:
    passed = dt.timedelta(days=LOOKED_AFTER_DAYS - day)
    return TrialRow(
        customer_id=customer_id,
        playbook=cohort.playbook,
        step="",
        arm=dealt.arm.value,
        propensity=dealt.propensity,
        global_share=dealt.global_share,
        assigned_at=BusinessInstant(BEGAN + dt.timedelta(days=day)),
        segment=segment.value,
        probability=None,
        arr_minor=ARR_MINOR[segment],
        currency="USD",
        good={measure: value for measure, value in good.items() if passed >= WINDOWS[measure]},
    )
