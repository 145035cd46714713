"""Instants on the wire."""

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

from domain.time import as_utc


def _in_utc(told: dt.datetime) -> dt.datetime:
    """Return it in UTC; pydantic makes a 400 of the error, naming the field."""
    try:
        return as_utc(told)
    except OverflowError:
        message = "in UTC this lies outside the years 1 to 9999"
        raise ValueError(message) from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""With its zone, within the calendar."""
