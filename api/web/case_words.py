"""Cases, payments and offers in words: stages, endings, who paid, what was declined."""

from collections.abc import Mapping, Sequence

from api.web.sentences import CASE_TITLES
from api.web.words import compact, percent, plural, words
from domain.billing import Collection, FinalAction
from domain.case_vocabulary import CaseKind, CaseOutcome, OfferState, PaidBy
from domain.decline_words import say_advice, say_decline
from domain.impact import Verdict
from domain.labels import Cause
from domain.win_back_effect import WinBackEffect
from models.views.dunning import Stage
from models.views.dunning_totals import Sum

STAGES: Mapping[str, str] = {
    "new": "Just opened",
    "reminding": "Reminded",
    "retrying": "Trying again",
    "provider_retries": "Provider tries",
    "needs_customer": "Needs the customer",
    "grace": "Last days",
    "final": "At its end",
    "held_out": "Left alone by chance",
    "silent": "Not written to",
    "watching": "Watching",
    "closing": "Closing",
    "returning": "Coming back",
    "by_person": "With one of ours",
}
"""In the order of the board; a stage of which nobody has said more is read out, at the end."""
OUTCOMES: Mapping[CaseOutcome, str] = {
    CaseOutcome.RECOVERED: "Recovered",
    CaseOutcome.EXHAUSTED: "Not recovered",
    CaseOutcome.WRITTEN_OFF: "Written off",
    CaseOutcome.ESCALATED: "Handed to a person",
    CaseOutcome.REACTIVATED: "Came back",
    CaseOutcome.LOST: "Lost",
    CaseOutcome.STOPPED: "Stopped",
}
KINDS = CASE_TITLES
PAID_BY = {PaidBy.EVERSTAY: "our attempt", PaidBy.PROVIDER: "the provider", PaidBy.CUSTOMER: "the customer"}
COLLECTIONS = {Collection.CHARGE: "charged to a card or account", Collection.TRANSFER: "paid by transfer"}
FINALS = {
    FinalAction.KEEP: "the subscription goes on",
    FinalAction.PAUSE: "the subscription is paused",
    FinalAction.CANCEL: "the subscription is cancelled",
}
CAUSES = {Cause.VOLUNTARY: "Decided to leave", Cause.INVOLUNTARY: "Payment failed"}
OFFER_STATES = {OfferState.REDEEMED: "Used"}
VERDICTS = {
    Verdict.WORKS: "Works",
    Verdict.HARMS: "Does harm",
    Verdict.NO_DIFFERENCE: "No difference seen",
    Verdict.NOT_ENOUGH: "Not enough data",
}
PATHS = {CaseKind.DUNNING: "/dunning", CaseKind.WIN_BACK: "/win-back"}
STOPS = {
    CaseOutcome.WRITTEN_OFF: "Write it off",
    CaseOutcome.LOST: "Count it as lost",
    CaseOutcome.STOPPED: "Stop without a verdict",
}

decline, advice = say_decline, say_advice


def stage(name: str) -> str:
    """Return a stage in words: `needs_customer` → Needs the customer."""
    return STAGES.get(name, words(name))


def in_order(stages: Sequence[Stage]) -> list[Stage]:
    """Return the columns of the board in the order in which cases go through them."""
    names = list(STAGES)
    return sorted(stages, key=lambda one: (names.index(one.name) if one.name in names else 99, one.name))


def address(kind: CaseKind, case_id: object) -> str:
    """Return the page of a case."""
    return f"{PATHS[kind]}/{case_id}"


def amounts(total: Sum | Mapping[str, int]) -> list[str]:
    """Return sums per currency, the largest first; nothing is converted, since no rate is known."""
    minor = total.minor if isinstance(total, Sum) else total
    ordered = sorted(minor.items(), key=lambda each: -each[1])
    return [compact(value, currency) for currency, value in ordered if currency]


def late(days: int) -> str:
    """Return how late an invoice is: `12 days late`, `due in 3 days`."""
    if days > 0:
        return f"{plural(days, 'day')} late"
    return "due today" if days == 0 else f"due in {plural(-days, 'day')}"


def effect(found: WinBackEffect) -> str:
    """Return what winning back does, with its interval, or what is still missing to know it."""
    if found.difference is None:
        treated, held_out = found.missing
        needed = [f"{treated} more of those that were written to"] if treated else []
        needed += [f"{held_out} more that were left alone"] if held_out else []
        return f"Needed before a verdict: {' and '.join(needed)}, ended"
    one = found.difference
    return (
        f"{one.value * 100:+.1f} points more come back "
        f"(95% interval {one.low * 100:+.1f} to {one.high * 100:+.1f})"
    )


def share(value: float | None) -> str:
    """Return a share as a percentage, in words where there is none."""
    return "nobody yet" if value is None else percent(value)
