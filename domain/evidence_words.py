"""What a signal rests on, as one line for a person: `baseline 120, now 40, newest on 3 March`."""

import datetime as dt
from collections.abc import Mapping

from domain.wording import day, number, percent

SHARES = ("ratio", "share", "rate")
FIRST = ("baseline", "before", "now")
"""What it was comes before what it is; the database keeps no order."""
MOST = 4


def say_evidence(evidence: Mapping[str, object], today: dt.date) -> str:
    """Return the first few figures in words; what is no figure, date or word is left out."""
    ordered = sorted(evidence.items(), key=lambda one: FIRST.index(one[0]) if one[0] in FIRST else len(FIRST))
    said = [_say(name, value, today) for name, value in ordered]
    return ", ".join([one for one in said if one][:MOST])


def _say(name: str, value: object, today: dt.date) -> str:
    label = name.replace("_", " ").removesuffix(" on") if isinstance(value, str) else name.replace("_", " ")
    text = _value(name, value, today)
    return f"{label} {text}" if text else ""


def _value(name: str, value: object, today: dt.date) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return percent(value) if name.endswith(SHARES) else number(value)
    return _text(value, today) if isinstance(value, str) else ""


def _text(value: str, today: dt.date) -> str:
    try:
        return day(dt.date.fromisoformat(value[:10]), today)
    except ValueError:
        return value.replace("_", " ")[:60]
