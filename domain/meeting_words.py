"""The date and time of a meeting in words, as the clock shows it where the reader is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.calendar import zone
from domain.time import BusinessInstant


@dataclass(frozen=True)
class _Language:
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    day: str
    time: str
    there: str


LANGUAGES: Mapping[str, _Language] = {
    "en": _Language(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
         "November", "December"),
        "{weekday}, {day} {month} {year}", "{time}", "{place} time",
    ),
    "de": _Language(
        ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
        ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
         "November", "Dezember"),
        "{weekday}, {day}. {month} {year}", "{time} Uhr", "Zeit in {place}",
    ),
}  # fmt: skip
"""By language; a reader of another one gets English."""


@dataclass(frozen=True)
class SaidTime:
    """Monday, 3 March 2027 / 10:15 / Berlin time."""

    day: str
    time: str
    place: str


def say_time(instant: BusinessInstant, time_zone: str | None, locale: str) -> SaidTime:
    """Return when something is, in the words of the locale's language."""
    language = LANGUAGES.get(re.split("[_-]", locale.lower())[0], LANGUAGES["en"])
    there = zone(time_zone)
    local = instant.astimezone(there)
    day = language.day.format(
        weekday=language.weekdays[local.weekday()],
        day=local.day,
        month=language.months[local.month - 1],
        year=local.year,
    )
    place = there.key.rpartition("/")[2].replace("_", " ")
    said = "UTC" if place == "UTC" else language.there.format(place=place)
    return SaidTime(day, language.time.format(time=f"{local:%H:%M}"), said)
