"""Days on which we write to nobody: public holidays where the recipient is, and the tenant's own."""

import datetime as dt
from functools import lru_cache

from holidays import country_holidays
from holidays.registry import COUNTRIES

from domain.contact_policy import ContactPolicy
from domain.time import BusinessInstant


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalpha())


CODES = {
    _folded(name): names[1]
    for key, names in COUNTRIES.items()
    for name in (key, *names[:3])
} | {"uk": "GB", "england": "GB", "usa": "US", "korea": "KR", "czechia": "CZ"}  # fmt: skip


def country_code(country: str | None) -> str | None:
    """Return the ISO code of a country as sources write it (DE, DEU, Germany), None for an unknown one."""
    return CODES.get(_folded(country or ""))


@lru_cache(maxsize=2048)
def public_holidays(code: str, year: int) -> frozenset[dt.date]:
    """Return the public holidays of a whole country in a year; those of its regions are not among them."""
    return frozenset(country_holidays(code, years=year))


def days_off(policy: ContactPolicy, country: str | None, now: BusinessInstant) -> frozenset[dt.date]:
    """Return the days off around an instant: from the year before it, to the end of the one after."""
    own = frozenset(policy.days_off)
    code = country_code(country) if policy.public_holidays else None
    if code is None:
        return own
    return own.union(*(public_holidays(code, now.year + more) for more in (-1, 0, 1)))
