"""Detectors that watch money and contract."""

from domain.risk_factors import say_past_due
from domain.signal_readings import Level, Reading, Sight, rising, severity
from domain.vocabulary import Severity
from domain.wording import count, sentence

GROWTH = 1.1
"""Use over the months before from which a contract that stands still is worth a talk."""


def invoice_past_due(sight: Sight) -> list[Reading]:
    """Notice money that is owed past its date."""
    money = sight.features.commercial
    level = rising(money.past_due_days, sight.limits)
    is_severe = money.past_due_days >= sight.limits.severe
    title = sentence(say_past_due(sight.features)).removesuffix(".")
    evidence = {"days": money.past_due_days, "amount_minor": money.past_due_minor}
    crossed = sight.days_ago(max(0.0, money.past_due_days - sight.limits.open))
    if not money.past_due_days:
        title = "Nothing is past due any more"
    return [Reading("invoice_past_due", level, severity(is_severe=is_severe), title, evidence, crossed)]


def payment_failing(sight: Sight) -> list[Reading]:
    """Notice charges that are refused again and again: customers leave by it who never meant to."""
    failed = sight.features.commercial.failed_attempts
    level = rising(failed, sight.limits)
    is_severe = failed >= sight.limits.severe
    title = (
        f"{count(failed, 'charge')} of an open invoice refused" if failed else "No charge is refused any more"
    )
    evidence = {"failed_attempts": failed}
    return [
        Reading("payment_failing", level, severity(is_severe=is_severe), title, evidence, sight.days_ago(1))
    ]


def contract_stagnation(sight: Sight) -> list[Reading]:
    """Notice growing use on a contract that has not changed for long: the plan no longer fits."""
    f = sight.features
    days = f.commercial.unchanged_days
    if days is None or not f.commercial.active_subscriptions:
        return []
    growing = f.usage.month_before > 0 and f.usage.month >= GROWTH * f.usage.month_before
    level = rising(days, sight.limits)
    if not growing and level is Level.OPEN:
        level = Level.HOLD
    title = f"Use grows on a contract unchanged for {count(days, 'day')}"
    evidence = {"unchanged_since": sight.days_ago(days).isoformat()}
    return [Reading("contract_stagnation", level, Severity.INFO, title, evidence, sight.days_ago(1))]
