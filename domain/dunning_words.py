"""Amounts and days as letters about invoices say them, to the cent and in the reader's language."""

import datetime as dt

from domain.money import SYMBOLS, exponent, whole_units
from domain.time import BusinessInstant

GERMAN_MONTHS = (
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()  # noqa: SIM905 - a table
)


def say_amount(minor: int, currency: str, language: str = "en") -> str:
    """Return an exact amount: `$1,234.50`, in German `1.234,50 $`."""
    code = currency.upper()
    plain = f"{whole_units(minor, code):,.{exponent(code)}f}"
    if language == "de":
        swapped = plain.translate(str.maketrans(",.", ".,"))
        return f"{swapped}\N{NO-BREAK SPACE}{SYMBOLS.get(code, code)}"
    symbol = SYMBOLS.get(code, f"{code}\N{NO-BREAK SPACE}")
    return f"{symbol}{plain}"


def say_day(instant: BusinessInstant | dt.date, language: str = "en") -> str:
    """Return a day in full: `3 March 2026`, in German `3. März 2026`."""
    if language == "de":
        return f"{instant.day}. {GERMAN_MONTHS[instant.month - 1]} {instant.year}"
    return f"{instant.day} {instant:%B %Y}"
