"""What holders of cards do: whose charge will be refused, what a letter moves them to. Assumptions all."""

import datetime as dt
from random import Random

from domain.time import BusinessInstant, after
from ml.simulation.cards import MIXES, Card, refused_card

MIX = MIXES["company cards"]
REFUSED_SHARE = 0.2
"""Share of the monthly charges that are refused of a customer whose payments are not its story."""
MENDED_WITHIN_DAYS = (2.0, 9.0)
"""Such a customer mends it by itself so many days after the failure, whatever we write."""
MENDS_AFTER = {
    "payment-gentle": 0.08,
    "payment-neutral": 0.12,
    "payment-firm": 0.2,
    "payment-card-update": 0.15,
    "payment-authentication": 0.3,
    "payment-final-notice": 0.2,
}
"""Share of readers of a letter who then enter another card."""
WAITS_HOURS = {"payment-gentle": 60.0, "payment-neutral": 36.0, "payment-firm": 18.0}
WAITS_USUALLY = 12.0
"""Mean hours from reading to doing: the later the tone, the sooner."""
PAYS_AT_ONCE = 0.6
"""Share of those who press the invoice's button; the others only leave a card, and we charge it."""
RETURNS, RETURNS_WITH_CODE = 0.3, 0.6
"""Share of readers of a letter to who has left that subscribe again, without and with an offer."""


def will_be_refused(seed: int, customer: str, period_ends: BusinessInstant) -> bool:
    """Tell whether an ordinary payer's charge of a period will be refused at first."""
    return Random(f"{seed}/{customer}/refused/{period_ends:%Y-%m-%d}").random() < REFUSED_SHARE


def card_of(seed: int, customer: str, failed_at: BusinessInstant) -> Card:
    """Return the card that is refused at an instant."""
    return refused_card(MIX, f"{seed}/{customer}/{failed_at:%Y-%m-%d}", failed_at)


def mends_anyway_at(seed: int, customer: str, failed_at: BusinessInstant) -> BusinessInstant:
    """Return when an ordinary payer has mended it at the latest."""
    days = Random(f"{seed}/{customer}/mends/{failed_at:%Y-%m-%d}").uniform(*MENDED_WITHIN_DAYS)
    return after(failed_at, dt.timedelta(days=days))


def answer_to(
    seed: int, customer: str, letter: str, number: int, read_at: BusinessInstant
) -> BusinessInstant | None:
    """Return when the reader of the how many-th letter enters another card, None where they do not."""
    chance = Random(f"{seed}/{customer}/{letter}/{number}")
    mends, hours = chance.random() < MENDS_AFTER.get(letter, 0.0), WAITS_HOURS.get(letter, WAITS_USUALLY)
    waits = dt.timedelta(hours=chance.expovariate(1 / hours))
    return after(read_at, waits) if mends else None


def pays_at_once(seed: int, customer: str, failed_at: BusinessInstant) -> bool:
    """Tell whether who mends it presses the button of the invoice as well."""
    return Random(f"{seed}/{customer}/pays/{failed_at:%Y-%m-%d}").random() < PAYS_AT_ONCE


def returns_after(seed: int, customer: str, letter: str, *, has_code: bool) -> bool:
    """Tell whether who has read a letter after they left subscribes again."""
    share = RETURNS_WITH_CODE if has_code else RETURNS
    return Random(f"{seed}/{customer}/{letter}").random() < share
