"""Whether a challenger takes the place of what is in use: judged on customers of a time that neither knows.

The window is the newest of which the outcomes have matured. All differences are paired by row and their
intervals drawn by customer. A challenger wins when

1. it knows something: its log-loss is surely (lower 90 % bound) below that of the plain base rate on the
   out-of-time predictions before the window, where most of the events are, and below it on the window too;
2. it is better on the mean than what is in use, and surely not worse by more than a margin of 1 % of the
   log-loss in use: non-inferiority, since a tenant with dozens of churners can prove no superiority (the
   standard error of an AUC of .75 is .041 with 50 churners, .009 with a thousand);
3. its expected calibration error and its lift in the top tenth are not surely worse;
4. every leak check passed, and what looks too good waits for a person's review.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.interval import Interval
from domain.learning_port import Check, Ruling
from ml.bootstrap import interval
from ml.metrics import auc, expected_calibration_error, lift, log_losses
from ml.samples import Codes, Flags, Floats

LEVEL = 0.9
MARGIN = 0.01
"""Share of the log-loss in use by which a challenger may surely not be worse."""
LEAST_EVENTS = 10
"""With fewer events in the window nothing is judged."""


@dataclass(frozen=True)
class Bout:
    """One window with what both said beforehand; arrays have one entry per row."""

    happened: Flags
    customers: Codes
    challenger: Floats
    incumbent: Floats
    incumbent_name: str
    base_rate: float
    """What was known of the share of events before the window began."""


def knowledge(happened: Flags, chance: Floats, customers: Codes) -> Check:
    """Tell whether predictions are surely better than saying the same of everybody.

    The base rate is that of the very rows, which nobody could have known: no real opponent is as good.
    """
    constant = np.full(len(happened), float(happened.mean()))
    gains = log_losses(happened, constant) - log_losses(happened, chance)
    found = interval(customers, lambda rows: float(gains[rows].mean()), level=LEVEL)
    said = f"log-loss against the base rate alone {_range(found)} on {int(happened.sum())} events out of time"
    return Check("knows_something", found.low > 0, said)


def judge(bout: Bout, checks: Sequence[Check]) -> Ruling:
    """Return who wins. What is lost is lost for all its reasons, each named."""
    events = int(bout.happened.sum())
    failed = [f"the check {one.name} failed: {one.said}" for one in checks if _has_failed(one)]
    if events < LEAST_EVENTS or events == len(bout.happened):
        few = f"only {events} events in the window, {LEAST_EVENTS} are needed to judge"
        return Ruling(is_won=False, needs_review=False, reasons=(*failed, few), figures={"events": events})
    figures = compare(bout)
    against = failed + _against(bout, figures)
    suspicions = [one.said for one in checks if one.is_suspicion and not one.passed]
    if against:
        return Ruling(is_won=False, needs_review=False, reasons=tuple(against), figures=_documents(figures))
    won = f"log-loss better than that of {bout.incumbent_name} by {figures['log_loss_gain'].value:.4f}"
    if suspicions:
        reasons = (f"{won}, but it looks too good: {'; '.join(suspicions)}: a person has to look first",)
        return Ruling(is_won=False, needs_review=True, reasons=reasons, figures=_documents(figures))
    return Ruling(is_won=True, needs_review=False, reasons=(won,), figures=_documents(figures))


def _has_failed(check: Check) -> bool:
    return not check.passed and not check.is_suspicion


def compare(bout: Bout) -> dict[str, Interval]:
    """Return the paired differences; above 0 the challenger is better, but for the calibration error."""
    happened, ours, theirs = bout.happened, bout.challenger, bout.incumbent
    constant = np.full(len(happened), bout.base_rate)
    losses = log_losses(happened, ours)
    over_constant, over_incumbent = (
        log_losses(happened, constant) - losses,
        log_losses(happened, theirs) - losses,
    )

    def difference(figure: Callable[[Flags, Floats], float]) -> Callable[[Codes], float]:
        return lambda rows: figure(happened[rows], ours[rows]) - figure(happened[rows], theirs[rows])

    figures: dict[str, Callable[[Codes], float]] = {
        "log_loss_gain_over_base_rate": lambda rows: float(over_constant[rows].mean()),
        "log_loss_gain": lambda rows: float(over_incumbent[rows].mean()),
        "ece_difference": difference(expected_calibration_error),
        "lift_difference": difference(lift),
        "auc_difference": difference(auc),
    }
    return {name: interval(bout.customers, one, level=LEVEL) for name, one in figures.items()}


def _against(bout: Bout, figures: dict[str, Interval]) -> list[str]:
    known, gain = figures["log_loss_gain_over_base_rate"], figures["log_loss_gain"]
    margin = MARGIN * float(log_losses(bout.happened, bout.incumbent).mean())
    ece, most = figures["ece_difference"], figures["lift_difference"]
    name, said = bout.incumbent_name, []
    if known.value <= 0:
        said.append(f"it is no better than the base rate alone (log-loss {_range(known)})")
    if gain.value <= 0:
        said.append(f"its log-loss is no better than that of {name} ({_range(gain)})")
    elif gain.low <= -margin:
        said.append(f"it may be worse than {name} by more than the margin of {margin:.4f} ({_range(gain)})")
    if ece.low > 0:
        said.append(
            f"its chances are surely less true than those of {name} (calibration error {_range(ece)})"
        )
    if most.high < 0:
        said.append(f"it surely finds fewer among the first tenth than {name} (lift {_range(most)})")
    return said


def _range(one: Interval) -> str:
    return f"{one.value:+.4f}, {one.low:+.4f} to {one.high:+.4f}"


def _documents(figures: dict[str, Interval]) -> dict[str, Any]:
    return {name: one.document() for name, one in figures.items()}
