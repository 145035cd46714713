"""When the customer hears of an unpaid invoice, in which tone, and never too often."""

import datetime as dt
from collections.abc import Iterator

from domain.billing import Collection
from domain.dunning_options import Option, Plan
from domain.dunning_state import DunningMemory, DunningStep, Sight
from domain.time import BusinessInstant, after

WEEK = dt.timedelta(days=7)


def letters_of(sight: Sight, plan: Plan) -> list[Option]:
    """Return the letters that may come next, each no earlier than the customer may hear from us again."""
    return list(_letters(sight, plan))


def _letters(sight: Sight, plan: Plan) -> Iterator[Option]:
    over = plan.over_at
    if plan.asks_for is not None and _card(sight) not in sight.memory.asked_for:
        yield Option(_not_before(sight, sight.now), plan.asks_for, asks_for=_card(sight))
        return
    if over is not None and sight.memory.final_notice_at is None:
        yield Option(_not_before(sight, over), DunningStep.FINAL_NOTICE)
    if sight.evidence.collection is Collection.TRANSFER:
        candidates = _reminders(sight)
    else:
        candidates = _by_schedule(sight, plan)
    for one in candidates:
        if over is None or one.at < over:
            yield one


def _card(sight: Sight) -> str:
    return sight.evidence.method.key if sight.evidence.method is not None else ""


def _by_schedule(sight: Sight, plan: Plan) -> Iterator[Option]:
    memory, offsets = sight.memory, sorted(sight.policy.notices.after_days)
    number = memory.notices_since
    if number >= len(offsets) or _is_left_in_peace(sight):
        return
    at = _not_before(sight, sight.since_anchor(offsets[number]))
    yield Option(at, tone(sight, plan), by_schedule=True)


def _reminders(sight: Sight) -> Iterator[Option]:
    """Yield the next reminder of a transfer, before the due date or after it."""
    memory, rules = sight.memory, sight.policy.transfers
    if _is_left_in_peace(sight):
        return
    before = [
        after(sight.evidence.due_at, -dt.timedelta(days=days))
        for days in sorted(rules.before_days, reverse=True)
    ]
    ahead = before[memory.before_due :]
    if ahead and sight.now < sight.evidence.due_at:
        latest = max((at for at in ahead if at <= sight.now), default=ahead[0])
        at = _not_before(sight, latest)
        if at < sight.evidence.due_at:
            yield Option(at, DunningStep.BEFORE_DUE, before_due=True)
    offsets = sorted(rules.after_days)
    if memory.notices_since < len(offsets):
        at = _not_before(sight, sight.since_anchor(offsets[memory.notices_since]))
        yield Option(at, DunningStep.OVERDUE, by_schedule=True)


def _is_left_in_peace(sight: Sight) -> bool:
    """Whether they asked not to be written to: what the contract asks for leaves all the same.

    That is the first word of a failed payment, the wish for another card, and the final notice.
    """
    return sight.state.do_not_contact and bool(sight.memory.notices)


def _not_before(sight: Sight, at: BusinessInstant) -> BusinessInstant:
    """Return the first instant from `at` on at which another letter is not too much."""
    rules, sent = sight.policy.notices, sight.memory.notices
    if not sent:
        return at
    at = max(at, after(sent[-1], rules.least_gap))
    if len(sent) >= rules.per_week:
        at = max(at, after(sent[-rules.per_week], WEEK))
    return at


def tone(sight: Sight, plan: Plan) -> DunningStep:
    """Return how a reminder sounds, by the share of the whole time that is behind us."""
    if plan.is_neutral:
        return DunningStep.NEUTRAL
    share = lateness(sight.memory, sight)
    if share < sight.policy.notices.gentle_below:
        return DunningStep.GENTLE
    return DunningStep.FIRM if share > sight.policy.notices.firm_above else DunningStep.NEUTRAL


def lateness(memory: DunningMemory, sight: Sight) -> float:
    """Return the share of the schedule and the grace days that has passed, 0 to 1."""
    whole = dt.timedelta(days=sight.policy.retries.within_days) + sight.policy.grace
    return min(max((sight.now - memory.anchored_at) / whole, 0.0), 1.0)
