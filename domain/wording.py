"""Numbers and dates as a person would say them."""

import datetime as dt


def number(value: float) -> str:
    """Return a number without false precision: 9, 0.4, 1,250."""
    if value != 0 and abs(value) < 1:
        return f"{value:.1f}"
    return f"{round(value):,}"


def count(value: float, noun: str, plural: str = "") -> str:
    """Return `1 ticket`, `3 tickets`."""
    word = noun if round(value) == 1 else plural or f"{noun}s"
    return f"{number(value)} {word}"


def day(date: dt.date, today: dt.date) -> str:
    """Return `3 March`, with the year where it is another one than today's."""
    year = "" if date.year == today.year else f" {date.year}"
    return f"{date.day} {date:%B}{year}"


def percent(share: float) -> str:
    """Return `40 %`."""
    return f"{round(100 * share)} %"


def sentence(clause: str) -> str:
    """Make a clause a sentence."""
    text = clause[:1].upper() + clause[1:]
    return text if text.endswith(".") else f"{text}."


def listed(clauses: list[str]) -> str:
    """Join clauses as in speech: a, b and c."""
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
