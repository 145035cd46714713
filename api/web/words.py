"""How numbers, dates and enumerations are said on pages: never bare, in the reader's own time zone."""

import datetime as dt
import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.money import SYMBOLS, say_money, whole_units
from domain.time import BusinessInstant
from models.views.portfolio_summary import Money

PROPER = {
    "qbr": "QBR",
    "csm": "CSM",
    "arr": "ARR",
    "nps": "NPS",
    "csat": "CSAT",
    "api": "API",
    "sla": "SLA",
    "e-mail": "e-mail",
}
NOTHING = "none"
UTC_INSTANT = re.compile(r"\d{2} [A-Z][a-z]+ \d{4} \d{2}:\d{2} UTC")
"""How the ledger writes an instant."""
UNCOUNTED = ("usage", "onboarding")
MONTHS_FROM_DAYS = 60
WEEKS_FROM_DAYS = 14
YEARS_FROM_DAYS = 700
LONG_AGO_HOURS = 36


def words(value: object) -> str:
    """Return an enumeration's word, or a name of code, as people read it: `at_risk` → At risk."""
    if value is None:
        return NOTHING
    text = str(value.value if isinstance(value, enum.Enum) else value)
    parts = [PROPER.get(part, part) for part in text.replace("_", " ").replace("-", " ").split()]
    said = " ".join(parts)
    return said[:1].upper() + said[1:]


def voice(version: str) -> str:
    """Return who spoke in a score: the scorecard alone, or with a trained model, and how loud."""
    card, joined, model = version.partition(" and ")
    return f"{words(card).rstrip(' 0123456789')} and model {model}" if joined else words(version)


def money(minor: int, currency: str) -> str:
    """Return an amount in whole units with its currency: `$120,000`, `CHF 1,200`."""
    return say_money(minor, currency)


def compact(minor: int, currency: str) -> str:
    """Return a large amount in three digits: `$4.21M`, `€545K`."""
    symbol = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    amount = whole_units(minor, currency)
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(amount) >= size:
            scaled = amount / size
            digits = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2  # noqa: PLR2004  three digits
            return f"{symbol}{scaled:.{digits}f}{letter}"
    return f"{symbol}{amount:.0f}"


def sums(amounts: Iterable[Money]) -> list[str]:
    """Return totals per currency, largest first; nothing is converted, since no rate is known."""
    return [compact(amount.minor, amount.currency) for amount in amounts] or ["0"]


def percent(share: float) -> str:
    """Return a share as a percentage; below ten it keeps one digit."""
    value = share * 100
    return f"{value:.0f}%" if value >= 10 else f"{value:.1f}%"  # noqa: PLR2004  two digits are enough above ten


def kinds(names: Iterable[str]) -> str:
    """Return kinds of fact as people name them: tickets, usage."""
    return ", ".join(name if name in UNCOUNTED else f"{name}s" for name in names)


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _span(days: int) -> str:
    if days >= YEARS_FROM_DAYS:
        return plural(round(days / 365), "year")
    if days >= MONTHS_FROM_DAYS:
        return plural(round(days / 30.4), "month")
    if days >= WEEKS_FROM_DAYS:
        return plural(round(days / 7), "week")
    return plural(days, "day")


def relative_days(days: int) -> str:
    """Return a distance in days as people say it: today, tomorrow, in 3 weeks, 5 days ago."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if days in near:
        return near[days]
    return f"in {_span(days)}" if days > 0 else f"{_span(-days)} ago"


def zone_of(name: str | None) -> ZoneInfo:
    """Return a time zone by name, UTC where the name is unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@dataclass(frozen=True)
class Say:
    """Says dates as one reader sees them: relative to business time, in their zone."""

    now: BusinessInstant
    zone: ZoneInfo

    def local(self, value: dt.datetime) -> dt.datetime:
        """Return an instant on the reader's clock."""
        return value.astimezone(self.zone)

    @property
    def today(self) -> dt.date:
        """The reader's business day."""
        return self.local(self.now).date()

    def day(self, value: dt.date | dt.datetime) -> str:
        """Return `5 Mar`, with the year unless it is this one."""
        date = self.local(value).date() if isinstance(value, dt.datetime) else value
        return f"{date.day} {date:%b}" if date.year == self.today.year else f"{date.day} {date:%b %Y}"

    def moment(self, value: dt.datetime) -> str:
        """Return `5 Mar, 14:30` on the reader's clock."""
        return f"{self.day(value)}, {self.local(value):%H:%M}"

    def told_on(self, written: str) -> str:
        """Return `5 Mar, 14:30` of an instant as documents keep it."""
        return self.moment(dt.datetime.fromisoformat(written))

    def stamp(self, value: dt.datetime) -> str:
        """Return the whole date and time with its zone, for titles."""
        local = self.local(value)
        return f"{local:%A}, {local.day} {local:%B %Y}, {local:%H:%M} {local.tzname()}"

    def told(self, sentence: str) -> str:
        """Return a sentence of the ledger with its instants on the reader's clock."""
        return UTC_INSTANT.sub(self._read_instant, sentence)

    def _read_instant(self, found: re.Match[str]) -> str:
        try:
            instant = dt.datetime.strptime(found[0], "%d %B %Y %H:%M UTC")  # noqa: DTZ007 - said to be UTC
        except ValueError:
            return found[0]
        return self.moment(instant.replace(tzinfo=dt.UTC))

    def days_until(self, value: dt.date | dt.datetime) -> int:
        """Return whole days from today to a date; negative is past."""
        date = self.local(value).date() if isinstance(value, dt.datetime) else value
        return (date - self.today).days

    def relative(self, value: dt.date | dt.datetime) -> str:
        """Return how far away a day or an instant is, in words."""
        if isinstance(value, dt.datetime):
            hours = (value - self.now).total_seconds() / 3600
            if abs(hours) < 1:
                return "just now" if hours <= 0 else "within the hour"
            if abs(hours) < LONG_AGO_HOURS and self.days_until(value) in {0, 1 if hours > 0 else -1}:
                span = plural(round(abs(hours)), "hour")
                return f"in {span}" if hours > 0 else f"{span} ago"
        return relative_days(self.days_until(value))
