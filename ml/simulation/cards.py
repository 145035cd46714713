"""Simulated cards: when each would be approved, and when its holder mends things without any attempt of ours.

Everything about a card is drawn once from its own seed, so that every schedule meets the same cards. The
shares and spans below are assumptions, not measurements: what a comparison shows holds for such cards only.
"""

import calendar
import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from domain.billing import Decline
from domain.time import BusinessInstant, after

DAY = dt.timedelta(days=1)
SALARY_HOURS = (0.0, 6.0)
"""Between these hours of a payday the money arrives."""
SPENT_DAYS = 4.0
"""Mean days until the money of a payday is spent again."""
OUTAGE_HOURS = 8.0
"""Mean hours until an issuer that did not answer is back."""
THAW_SHARE, THAW_DAYS = 0.4, 6.0
"""Share of cards that a bank refuses without a reason and approves later, and the mean days until then."""
MEND_DAYS = 6.0
"""Mean days until a customer who mends it does so."""


class Payday(StrEnum):
    """When money comes to the account behind a card."""

    MONTH = "month"
    """On the 1st or the 15th, or on the last working day."""
    FRIDAY = "friday"
    ANY = "any"
    """On one day of the month that fits no pattern."""


@dataclass(frozen=True)
class Mix:
    """Of what refusals a portfolio consists, in shares; and how regular its paydays are."""

    codes: Mapping[str, float]
    paydays: Mapping[Payday, float]


USUAL = {Payday.MONTH: 0.5, Payday.FRIDAY: 0.2, Payday.ANY: 0.3}
MIXES: dict[str, Mix] = {
    "debit cards": Mix(
        {
            "insufficient_funds": 0.62, "processing_error": 0.05, "do_not_honor": 0.15,
            "expired_card": 0.12, "lost_card": 0.04, "authentication_required": 0.02,
        },
        USUAL,
    ),
    "company cards": Mix(
        {
            "insufficient_funds": 0.18, "card_velocity_exceeded": 0.12, "do_not_honor": 0.28,
            "expired_card": 0.28, "lost_card": 0.06, "authentication_required": 0.08,
        },
        USUAL,
    ),
    "no payday pattern": Mix(
        {
            "insufficient_funds": 0.62, "processing_error": 0.05, "do_not_honor": 0.15,
            "expired_card": 0.12, "lost_card": 0.04, "authentication_required": 0.02,
        },
        {Payday.ANY: 1.0},
    ),
}  # fmt: skip
MENDS: dict[str, float] = {
    "expired_card": 0.45, "lost_card": 0.35, "authentication_required": 0.5, "do_not_honor": 0.2,
    "insufficient_funds": 0.12,
}  # fmt: skip
"""Share of holders who enter another card or pay by themselves; the same whatever the schedule is."""
NEEDS_HOLDER = frozenset({"expired_card", "lost_card", "authentication_required"})
Word = TypeVar("Word", bound=str)
BRANDS = ("visa", "visa", "mastercard")


@dataclass(frozen=True)
class Span:
    """A time in which a card is approved."""

    begins: BusinessInstant
    ends: BusinessInstant

    def holds(self, at: BusinessInstant) -> bool:
        """Tell whether an instant lies in it."""
        return self.begins <= at < self.ends


@dataclass(frozen=True)
class Card:
    """One card with an unpaid invoice."""

    key: str
    brand: str
    decline: Decline
    amount_minor: int
    failed_at: BusinessInstant
    good: tuple[Span, ...]
    """When an attempt succeeds."""
    mended_at: BusinessInstant | None
    """When the holder mends it without an attempt of ours, None where never."""

    def approves(self, at: BusinessInstant) -> bool:
        """Tell whether an attempt at an instant succeeds."""
        return any(span.holds(at) for span in self.good)

    @property
    def needs_holder(self) -> bool:
        """Whether no attempt at this card can ever succeed."""
        return self.decline.code in NEEDS_HOLDER


def draw_cards(mix: Mix, count: int, seed: int, first_day: dt.date) -> list[Card]:
    """Return so many cards whose charge failed within thirty days of a day; the same seed gives the same."""
    return [_card(mix, f"{seed}/{number}", first_day) for number in range(count)]


def refused_card(mix: Mix, key: str, failed_at: BusinessInstant) -> Card:
    """Return one card whose charge fails at an instant; the same key gives the same."""
    chance = random.Random(f"card/{key}")
    return _drawn(chance, mix, key, _one_of(chance, mix.codes), failed_at)


def _card(mix: Mix, key: str, first_day: dt.date) -> Card:
    chance = random.Random(f"card/{key}")
    code = _one_of(chance, mix.codes)
    midnight = dt.datetime(first_day.year, first_day.month, first_day.day, tzinfo=dt.UTC)
    failed = BusinessInstant(midnight + DAY * chance.uniform(0, 30))
    return _drawn(chance, mix, key, code, failed)


def _drawn(chance: random.Random, mix: Mix, key: str, code: str, failed: BusinessInstant) -> Card:
    good = _good_spans(chance, code, _one_of(chance, mix.paydays), failed)
    return Card(
        key,
        chance.choice(BRANDS),
        Decline(code, at=failed),
        round(chance.lognormvariate(8.5, 0.8)),
        failed,
        good,
        _mended(chance, code, failed),
    )


def _one_of(chance: random.Random, shares: Mapping[Word, float]) -> Word:
    return chance.choices(list(shares), list(shares.values()))[0]


def _mended(chance: random.Random, code: str, failed: BusinessInstant) -> BusinessInstant | None:
    mends, later = chance.random() < MENDS.get(code, 0.0), chance.expovariate(1 / MEND_DAYS)
    return after(failed, DAY * (0.5 + later)) if mends else None


def _good_spans(
    chance: random.Random, code: str, payday: Payday, failed: BusinessInstant
) -> tuple[Span, ...]:
    """Return when the card is approved in the two months after its failure."""
    end = after(failed, DAY * 60)
    if code in NEEDS_HOLDER:
        return ()
    if code == "insufficient_funds":
        return _funded(chance, payday, failed, end)
    if code == "do_not_honor":
        thaws, days = chance.random() < THAW_SHARE, chance.expovariate(1 / THAW_DAYS)
        return (Span(after(failed, DAY * days), end),) if thaws else ()
    hours = chance.expovariate(1 / (24.0 if code == "card_velocity_exceeded" else OUTAGE_HOURS))
    return (Span(after(failed, dt.timedelta(hours=hours)), end),)


def _funded(
    chance: random.Random, payday: Payday, failed: BusinessInstant, end: BusinessInstant
) -> tuple[Span, ...]:
    """Return the times after each payday until the money is spent; a failure lies in none of them."""
    own = chance.randint(1, 28)
    half = chance.choice(("first", "fifteenth", "last"))
    spans = []
    for ahead in range(61):
        day = (failed + DAY * ahead).date()
        if not _is_payday(day, payday, own, half):
            continue
        midnight = BusinessInstant(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC))
        begins = after(midnight, dt.timedelta(hours=chance.uniform(*SALARY_HOURS)))
        ends = after(begins, DAY * chance.expovariate(1 / SPENT_DAYS))
        if begins > failed:
            spans.append(Span(begins, min(ends, end)))
    return tuple(spans)


def _is_payday(day: dt.date, payday: Payday, own: int, half: str) -> bool:
    if payday is Payday.FRIDAY:
        return day.weekday() == calendar.FRIDAY
    if payday is Payday.ANY:
        return day.day == own
    if half == "last":
        last = calendar.monthrange(day.year, day.month)[1]
        ends = (day.replace(day=one) for one in range(last, last - 3, -1))
        return day == next(one for one in ends if one.weekday() < calendar.SATURDAY)
    return day.day == (1 if half == "first" else 15)
