"""What playbooks bring about, as it is computed at night, shown, and asked for: rows in, one report out."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.time import BusinessInstant
from domain.trial_labels import Measure
from domain.uplift import Uplift

LEAST_CUSTOMERS = 20
"""Fewer in an arm say nothing, whatever the interval."""


class Grade(StrEnum):
    """How well an effect is proven."""

    RANDOMISED = "randomised"
    """Chance decided who was left out."""
    MATCHED = "matched"
    """Held against others of the same segment and risk: what they differ in besides is unknown."""
    CLAIMED = "claimed"
    """What runs say of themselves, held against nobody."""


class Verdict(StrEnum):
    """What an interval allows to say."""

    WORKS = "works"
    HARMS = "harms"
    NO_DIFFERENCE = "no_difference"
    """Enough data to have seen an effect worth finding, and none was seen."""
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True)
class TrialRow:
    """One assignment as an estimate reads it."""

    customer_id: uuid.UUID
    playbook: str
    step: str
    """The step of an experiment, empty for the playbook itself."""
    arm: str
    propensity: float
    global_share: float
    assigned_at: BusinessInstant
    segment: str
    probability: float | None
    arr_minor: int
    currency: str
    good: dict[Measure, bool]
    """By measure; what has not matured, or cannot be said, is left out."""
    claims: bool = False
    """The run ended with its goal reached."""
    has_left: bool = False
    """They had left before, as those whom we try to win back: held only against others who had."""


@dataclass(frozen=True)
class DeclaredExperiment:
    """An experiment of a playbook in use."""

    playbook: str
    step: str
    variants: tuple[str, ...]
    measure: Measure
    least_share: float
    is_measured: bool


class Figure(BaseModel):
    """A figure with its 95 % interval."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float


class ArmFigures(BaseModel):
    """One arm: customers assigned, those whose window has passed, and the share of these that did well."""

    model_config = ConfigDict(frozen=True)

    arm: str
    assigned: int
    matured: int
    share: float | None


class Effect(BaseModel):
    """The effect by one measure: points of share, above 0 is for the better."""

    model_config = ConfigDict(frozen=True)

    measure: Measure
    grade: Grade
    verdict: Verdict
    arms: tuple[ArmFigures, ...]
    measured: Figure | None = None
    """Treated less untreated, weighted by the inverse of each propensity."""
    drawn: Figure | None = None
    """The same, drawn towards its playbook and all playbooks as far as they are alike."""
    against: str = "holdout"
    needed: tuple[int, int] = (0, 0)
    """Matured customers, treated and untreated, that show an effect worth finding in 80 of 100 trials."""
    missing: int = 0
    """Untreated ones still to come until then."""


class SegmentImpact(BaseModel):
    """One segment of a playbook."""

    model_config = ConfigDict(frozen=True)

    segment: str
    late: Effect
    does_harm: bool = False
    uplift: Uplift | None = None
    """The share of departures that it prevents here, which the director goes by; None: too few customers."""


class Saved(BaseModel):
    """Recurring revenue that stayed because of what was done, in minor units, and how well that is proven."""

    model_config = ConfigDict(frozen=True)

    grade: Grade
    currency: str
    minor: int
    low_minor: int | None
    high_minor: int | None
    """Empty for claims, which nothing bounds."""
    customers: int


class PlaybookImpact(BaseModel):
    """What one playbook brings about."""

    model_config = ConfigDict(frozen=True)

    playbook: str
    late: Effect
    early: Effect | None = None
    segments: tuple[SegmentImpact, ...] = ()
    saved: tuple[Saved, ...] = ()


class VariantFigures(BaseModel):
    """One variant: its customers, the share that did well, and how often it is dealt next."""

    model_config = ConfigDict(frozen=True)

    variant: str
    customers: int
    share: Figure | None
    next_share: float


class ExperimentImpact(BaseModel):
    """What the variants of one experiment bring about."""

    model_config = ConfigDict(frozen=True)

    playbook: str
    step: str
    measure: Measure
    is_measured: bool
    variants: tuple[VariantFigures, ...]
    by_segment: dict[str, dict[str, float]] = {}
    """Shares per segment, only where they are proven better than the best variant for all."""
    gain_by_segment: Figure | None = None


class ImpactReport(BaseModel):
    """Everything that is known of effects as of one night."""

    model_config = ConfigDict(frozen=True)

    as_of: dt.datetime | None = None
    """Empty before the first night with an assignment."""
    everything: Effect | None = None
    """All optional outreach together, against the holdout of everything."""
    playbooks: tuple[PlaybookImpact, ...] = ()
    experiments: tuple[ExperimentImpact, ...] = ()
    saved: tuple[Saved, ...] = ()
