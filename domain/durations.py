"""Spans of time as people write them in playbooks: 30m, 12h, 5d, 2w."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
FORM = re.compile(r"([0-9]{1,8})\s*([mhdw])")
LONGEST = timedelta(days=3650)


def parse_duration(value: Any) -> timedelta:
    """Read `30m`, `12h`, `5d` or `2w`, up to ten years; a timedelta stays what it is."""
    if isinstance(value, timedelta):
        return value
    match = FORM.fullmatch(str(value).strip())
    if match is None:
        message = f"{value!r} is no duration: write a whole number and m, h, d or w, such as 5d"
        raise ValueError(message)
    span = timedelta(**{UNITS[match[2]]: int(match[1])})
    if span > LONGEST:
        message = f"{value!r} is longer than ten years"
        raise ValueError(message)
    return span


def write_duration(value: timedelta) -> str:
    """Write a span in its largest whole unit."""
    minutes = int(value.total_seconds() // 60)
    for size, unit in ((10080, "w"), (1440, "d"), (60, "h")):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(write_duration)]
"""A span in a document: read and written in the short form."""


def parse_offset(value: Any) -> timedelta:
    """Read a duration that may lie before (`-60d`) or after (`90d`) what it counts from."""
    if isinstance(value, timedelta):
        return value
    written = str(value).strip()
    span = parse_duration(written.lstrip("+-").strip())
    return -span if written.startswith("-") else span


def write_offset(value: timedelta) -> str:
    """Write a span with its sign."""
    return f"-{write_duration(-value)}" if value < timedelta() else write_duration(value)


Offset = Annotated[timedelta, BeforeValidator(parse_offset), PlainSerializer(write_offset)]
"""A span before or after a date."""
