"""When health, risk and the CSM's own forecast do not say the same of a customer, and what follows from it.

A disagreement that lasts is put to a person, once, with a deadline. After the deadline the policy settles
it. Nothing is asked a second time while the same disagreement goes on; an end counts once it has lasted too.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from domain.scoring_policy import DisagreementPolicy
from domain.stances import Forecast, Stance
from domain.time import BusinessInstant
from domain.vocabulary import HealthStatus, RiskTier

LEAVING_TIERS = frozenset({RiskTier.HIGH, RiskTier.CRITICAL})
LEAVING_HEALTH = frozenset({HealthStatus.NEEDS_ATTENTION, HealthStatus.AT_RISK})
NAMES = {"health": "health by rules", "risk": "the churn risk", "csm": "the CSM's forecast"}
RULES = {
    "leaving": "the graver view holds",
    "risk": "the churn risk holds",
    "health": "health by rules holds",
}
"""What the policy says of a decision that nobody took."""


def stance_of_health(status: HealthStatus | None, *, limited: bool) -> Stance:
    """Return which way health leans; neutral health, and a verdict on little data, say neither."""
    if status is None or limited or status is HealthStatus.NEUTRAL:
        return Stance.NONE
    return Stance.LEAVING if status in LEAVING_HEALTH else Stance.STAYING


def stance_of_risk(tier: RiskTier | None) -> Stance:
    """Return which way churn risk leans; medium says neither."""
    if tier is None or tier is RiskTier.MEDIUM:
        return Stance.NONE
    return Stance.LEAVING if tier in LEAVING_TIERS else Stance.STAYING


def stance_of_forecast(forecast: Forecast | None) -> Stance:
    """Return which way the CSM's forecast leans."""
    if forecast is None:
        return Stance.NONE
    return Stance.STAYING if forecast is Forecast.WILL_RENEW else Stance.LEAVING


@dataclass(frozen=True)
class Voices:
    """Three views of one customer."""

    health: Stance
    risk: Stance
    csm: Stance

    @property
    def disagree(self) -> bool:
        """Whether one expects them to stay and another to leave."""
        return {Stance.STAYING, Stance.LEAVING} <= {self.health, self.risk, self.csm}

    def said(self) -> dict[str, Stance]:
        """Return the views that lean one way, by name."""
        both = {"health": self.health, "risk": self.risk, "csm": self.csm}
        return {name: stance for name, stance in both.items() if stance is not Stance.NONE}

    def sentence(self) -> str:
        """Say who expects what."""
        sides = {
            stance: [NAMES[name] for name, one in self.said().items() if one is stance] for stance in Stance
        }
        stay, leave = " and ".join(sides[Stance.STAYING]), " and ".join(sides[Stance.LEAVING])
        return f"{stay} {_speak(sides[Stance.STAYING])} for staying, {leave} for leaving"

    def settled(self, policy: DisagreementPolicy) -> Stance:
        """Return what holds when nobody decided in time; a view that says neither leaves it to the graver."""
        chosen = {"risk": self.risk, "health": self.health}.get(policy.settle, Stance.LEAVING)
        return Stance.LEAVING if chosen is Stance.NONE else chosen


def _speak(names: list[str]) -> str:
    return "speaks" if len(names) == 1 else "speak"


class Step(StrEnum):
    """What is to be done about one customer tonight."""

    NOTHING = "nothing"
    BEGIN = "begin"
    """Remember that they disagree since now."""
    BEGIN_ANEW = "begin_anew"
    """Another disagreement took the place of one that was only seen, or of one that was decided."""
    FORGET = "forget"
    """It never lasted."""
    OPEN = "open"
    """Ask a person."""
    ANSWER = "answer"
    """Somebody has answered."""
    SETTLE = "settle"
    """The deadline has passed."""
    QUIET = "quiet"
    """They agree since now."""
    LOUD = "loud"
    """They disagree again before the end could count."""
    END = "end"
    """They agree for so long that it is over."""


@dataclass(frozen=True)
class Held:
    """A disagreement as it is remembered."""

    voices: Voices
    began_at: BusinessInstant
    opened_at: BusinessInstant | None = None
    due_at: BusinessInstant | None = None
    decided: Stance | None = None
    quiet_since: BusinessInstant | None = None
    answer: Stance | None = None
    """What a person has answered to the question, if it was put."""


def next_step(held: Held | None, voices: Voices, now: BusinessInstant, policy: DisagreementPolicy) -> Step:
    """Return what is to be done; the same state asked twice never asks a person twice."""
    lasting = dt.timedelta(days=policy.lasting_days)
    if held is None:
        return Step.BEGIN if voices.disagree else Step.NOTHING
    if held.opened_at is None:
        return _seen(held, voices, now - held.began_at >= lasting)
    if held.decided is None and held.answer is not None:
        return Step.ANSWER
    if not voices.disagree:
        return _agreed(held, now, lasting)
    return _disagreed(held, voices, now)


def _disagreed(held: Held, voices: Voices, now: BusinessInstant) -> Step:
    if held.quiet_since is not None:
        return Step.LOUD
    if held.decided is not None:
        return Step.NOTHING if voices == held.voices else Step.BEGIN_ANEW
    return Step.SETTLE if held.due_at is not None and now >= held.due_at else Step.NOTHING


def _seen(held: Held, voices: Voices, has_lasted: bool) -> Step:  # noqa: FBT001  the third of what was seen
    if not voices.disagree:
        return Step.FORGET
    if voices != held.voices:
        return Step.BEGIN_ANEW
    return Step.OPEN if has_lasted else Step.NOTHING


def _agreed(held: Held, now: BusinessInstant, lasting: dt.timedelta) -> Step:
    if held.quiet_since is None:
        return Step.QUIET
    return Step.END if now - held.quiet_since >= lasting else Step.NOTHING
