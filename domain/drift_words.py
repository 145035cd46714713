"""What has changed in what a model reads, and how well it does, in words."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from domain.wording import day, percent, sentence

SHARES = (
    (0.1, "a tenth"),
    (0.2, "a fifth"),
    (0.25, "a quarter"),
    (1 / 3, "a third"),
    (0.5, "half"),
    (2 / 3, "two thirds"),
    (0.75, "three quarters"),
)
"""Shares that people say as a word."""
NEAR = 0.02
SCORE = "score"
"""The name of the model's own probability among its columns."""
UNKNOWN_GREW = 0.1
"""A share of customers of whom a column is unknown that grew by so much is told first."""


class AlertLevel(StrEnum):
    """What is read has changed: watch. The model is wrong on what happened since: alarm."""

    WATCH = "watch"
    ALARM = "alarm"


@dataclass(frozen=True)
class Alert:
    """One thing that a person should know of a model."""

    level: AlertLevel
    about: str
    """The column, or `score`, `calibration`, `log_loss`."""
    sentence: str

    def document(self) -> dict[str, str]:
        """Return it as stored."""
        return {"level": self.level.value, "about": self.about, "sentence": self.sentence}


@dataclass(frozen=True)
class Change:
    """How far one column is from what it was."""

    psi: float
    """Population stability index."""
    noise: float
    """What chance alone exceeds once in a thousand times."""
    moved: float
    """Share of customers that would have to be in another bin for nothing to have changed."""
    unknown_before: float
    unknown: float
    """Shares of customers of whom it is unknown."""
    median_before: float | None
    median: float | None


def column_words(name: str) -> str:
    """Return a column's name as people read it: `own.api_calls.price` → api calls, price."""
    if name == SCORE:
        return "the churn probability"
    parts = [part.replace("_", " ") for part in name.split(".")]
    if parts[0] == "own" and len(parts) > 1:
        return ", ".join(parts[1:])
    return ", ".join(parts)


def customers_words(share: float) -> str:
    """Return a share of customers as people say it: a third of customers, 41 % of customers."""
    if share >= 1 - NEAR:
        return "all customers"
    near = [words for value, words in SHARES if abs(value - share) <= NEAR]
    return f"{near[0] if near else percent(share)} of customers"


def say_change(name: str, change: Change, since: dt.date, today: dt.date) -> str:
    """Say what is different: who moved, and from where to where."""
    told = f"{customers_words(change.moved)} moved since {day(since, today)}"
    if abs(change.unknown - change.unknown_before) >= UNKNOWN_GREW:
        was, is_now = percent(change.unknown_before), percent(change.unknown)
        told += f"; it is unknown of {is_now}, and was of {was}"
    elif change.median is not None and change.median_before is not None:
        told += _medians(change.median_before, change.median)
    return sentence(f"{column_words(name)}: {told} (stability index {change.psi:.2f})")


def _medians(before: float, now: float) -> str:
    was, is_now = _figure(before), _figure(now)
    if was == is_now:
        return f"; the median is {is_now} as before"
    return f"; the median {'rose' if now > before else 'fell'} from {was} to {is_now}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  from where on decimals say nothing


def say_calibration(
    observed: int, expected: float, low: float, high: float, on: dt.date, today: dt.date
) -> str:
    """Say that more or fewer left than was expected."""
    word = "more" if observed > expected else "fewer"
    return sentence(
        f"{word} customers left than expected: {observed} of {expected:.0f} foreseen around "
        f"{day(on, today)} (ratio {observed / expected:.2f}, 95 % interval {low:.2f} to {high:.2f})"
    )


def say_log_loss(value: float, card: float, on: dt.date, today: dt.date) -> str:
    """Say that the model's probabilities are worse than its card promises."""
    return sentence(
        f"the newest outcomes that are known, of {day(on, today)}, fit worse than the model's card says: "
        f"log-loss {value:.3f}, on the card {card:.3f}"
    )
