"""Signals on the wire: detectors, previews, lift, and what is held back."""

import datetime as dt
import uuid

from pydantic import BaseModel, ConfigDict, Field

from api.resources.shapes import Shape
from domain.scoring_policy import SignalPolicy, Thresholds
from domain.signal_own import OwnSignalDocument
from domain.vocabulary import Segment, SignalKind
from models.signal_catalogue import CatalogueLine
from models.signal_lift import Measured


class Detector(Shape):
    """One detector, with the thresholds in force and those that it comes with, per segment."""

    kind: SignalKind
    looks_at: str
    unit: str
    rests_on: list[str]
    enabled: bool
    is_tuned: bool
    thresholds: dict[Segment, Thresholds]
    defaults: dict[Segment, Thresholds]
    open: int = Field(description="Customers that show it now.")
    missing: list[str] = Field(description="Kinds of fact that nobody tells now; while any, it abstains.")
    lift: float | None = Field(description="How many times as often as usual those who showed it left.")


class WantedPreview(BaseModel):
    """What to try: a changed detector, or a signal of your own; with neither, what is in force."""

    model_config = ConfigDict(extra="forbid")

    kind: SignalKind | None = None
    policy: SignalPolicy = SignalPolicy()
    own: OwnSignalDocument | None = None


class FiredCounts(Shape):
    """How often one signal would have opened."""

    times: int
    customers: int
    already_open: int


class SignalPreview(Shape):
    """The last 90 days played back on a sample, each look with what was known then."""

    sampled: int
    of: int
    snapshots: int
    since: dt.date
    fired: dict[str, FiredCounts]


class LiftFigures(Shape):
    """Looks at customers that showed the signal, those that left within 90 days, and the weighted rates."""

    shown: int
    left: int
    rate: float
    base_rate: float
    lift: float | None


class LiftMeasured(Shape):
    """One measurement of who left after which signal."""

    as_of: dt.datetime
    customers: int
    looks: int
    left: int
    base_rate: float
    lifts: dict[str, LiftFigures]


class ConditionField(Shape):
    """One field that a condition may speak of."""

    name: str
    type: str
    meaning: str
    rests_on: str | None


class HeldAlert(Shape):
    """A signal that so many customers showed at once that it is held back."""

    id: uuid.UUID
    kind: SignalKind
    expected: int
    active: int
    opened_at: dt.datetime
    signals: int


class Told(Shape):
    """How many signals were told."""

    signals: int


def detector_of(line: CatalogueLine, measured: Measured | None) -> Detector:
    """Return a line of the catalogue as the API tells it."""
    spec = line.spec
    found = measured.of(spec.kind.value) if measured else None
    return Detector(
        kind=spec.kind,
        looks_at=spec.measures,
        unit=spec.unit,
        rests_on=list(spec.needs),
        enabled=line.enabled,
        is_tuned=line.is_tuned,
        thresholds=dict(line.thresholds),
        defaults={segment: spec.defaults[segment.value] for segment in Segment},
        open=line.open,
        missing=list(line.missing),
        lift=found.lift if found else None,
    )


def lift_of(measured: Measured) -> LiftMeasured:
    """Return a measurement as the API tells it."""
    lifts = {
        name: LiftFigures(**vars(one), lift=one.lift if measured.of(name) else None)
        for name, one in measured.lifts.items()
    }
    return LiftMeasured(**(vars(measured) | {"lifts": lifts}))
