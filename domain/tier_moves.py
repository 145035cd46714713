"""Why a customer's tier moved: what the score rests on now, against what it rested on before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class MoveState(StrEnum):
    """Whether a move of the score's tier was acted on."""

    ACTED = "acted"
    WAITING = "waiting"
    """The score says so, and patience waits whether it lasts."""
    PASSED = "passed"
    """It did not last: nobody was told."""
    LEFT = "left"
    """The customer left while patience waited."""


@dataclass(frozen=True)
class Reason:
    """One reason of a stored score; points above 0 raise the risk."""

    family: str
    sentence: str
    points: float


@dataclass(frozen=True)
class Rested:
    """What one stored score rested on, and who said it."""

    voice: str
    reasons: tuple[Reason, ...]


def voice_of(model_version: str) -> str:
    """Return who scored, without how loud a model speaks: that grows a little with each training."""
    return model_version.partition(",")[0]


def rested(model_version: str, drivers: Sequence[Mapping[str, object]]) -> Rested:
    """Return what a stored score rested on."""
    reasons = (
        Reason(str(one.get("family", "")), str(one.get("sentence", "")), _number(one.get("points")))
        for one in drivers
    )
    return Rested(voice_of(model_version), tuple(reasons))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def why_moved(before: Rested | None, after: Rested | None, *, is_worse: bool) -> str:
    """Return the sentence of the family whose points moved most the way that the tier went.

    A family that weighs no more is told by what it said before. Where nothing moved that way (a new model, a
    wider horizon), the reason that weighs most is told, and who scores since.
    """
    if after is None:
        return "the score of that day is not kept any more"
    new_voice = before is not None and before.voice != after.voice
    said = _moved(before, after, is_worse=is_worse) or "nothing stands out"
    return f"{said}; scored by {after.voice} since" if new_voice else said


def _moved(before: Rested | None, after: Rested, *, is_worse: bool) -> str:
    sign = 1 if is_worse else -1
    had, has = _by_family(before.reasons if before else ()), _by_family(after.reasons)
    steps = {name: sign * (_points(has, name) - _points(had, name)) for name in (*has, *had)}
    name = max(steps, key=lambda each: steps[each], default=None)
    if name is None:
        return ""
    if steps[name] <= 0:
        heaviest = max(after.reasons, key=lambda one: sign * one.points, default=None)
        return heaviest.sentence if heaviest else ""
    now = has.get(name)
    if now is None:
        return f"no longer: {had[name].sentence}"
    return now.sentence if sign * now.points > 0 else f"less than before: {now.sentence}"


def _by_family(reasons: Sequence[Reason]) -> dict[str, Reason]:
    """Return of each family the heaviest reason, with the points of all of its reasons."""
    found: dict[str, Reason] = {}
    totals: dict[str, float] = {}
    for one in reasons:
        totals[one.family] = totals.get(one.family, 0.0) + one.points
        if one.family not in found or abs(one.points) > abs(found[one.family].points):
            found[one.family] = one
    return {name: Reason(name, one.sentence, totals[name]) for name, one in found.items()}


def _points(reasons: Mapping[str, Reason], name: str) -> float:
    return reasons[name].points if name in reasons else 0.0
