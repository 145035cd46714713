"""Cells to values: strict, since a cell that is guessed at is a fact that is wrong."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from domain.mapping import ColumnSpec

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,2})?")
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}
_DATES_REMEMBERED = 50_000
LARGEST = 10**15
"""More than any business counts; sums of such numbers still fit the database's 64 bits."""

Parser = Callable[[Any], Any]
NUMBER_FORMS = ("iso", "1,234.56", "1.234,56", "1 234,56")
"""How numbers are written: plainly, or with signs between thousands, a decimal comma, a currency sign."""
_AROUND = "$€£¥%\u00a0\u202f "
_GROUPED = {
    "1,234.56": re.compile(r"-?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?|-?[0-9]+(\.[0-9]+)?"),
    "1.234,56": re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})*(,[0-9]+)?|-?[0-9]+(,[0-9]+)?"),
    "1 234,56": re.compile(r"-?[0-9]{1,3}( [0-9]{3})*(,[0-9]+)?"),
}


def plain_number(text: str, form: str) -> str | None:
    """Return a number written in this form as a plain one, or None."""
    if form == "iso":
        return text if _DECIMAL.fullmatch(text) else None
    bare = re.sub(r"^[A-Z]{3}\s|\s[A-Z]{3}$", "", text.strip(_AROUND)).strip(_AROUND)
    negative = bare.startswith("(") and bare.endswith(")")
    bare = "-" + bare[1:-1].strip(_AROUND) if negative else bare
    bare = bare.replace("\u00a0", " ").replace("\u202f", " ")
    if form not in _GROUPED or not _GROUPED[form].fullmatch(bare):
        return None
    thousands, point = (",", ".") if form == "1,234.56" else (form[1], ",")
    return bare.replace(thousands, "").replace(point, ".")


class CellError(ValueError):
    """A cell does not fit its column. The message says why, and shows the cell."""


def _shown(cell: object) -> str:
    text = str(cell)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")  # noqa: PLR2004  enough to recognise it


def compile_column(column: ColumnSpec, zone: ZoneInfo) -> Parser:
    """Return the function from a cell, text or typed, to a value; None where it is empty.

    It raises CellError.
    """
    parse = _PARSERS[column.type](column, zone)
    empties = set(column.empty)

    def read(cell: Any) -> Any:
        if cell is None or (isinstance(cell, str) and cell in empties):
            if column.optional:
                return None
            raise CellError("is empty")
        return parse(cell)

    return read


def _text(column: ColumnSpec, _zone: ZoneInfo) -> Parser:
    allowed = set(column.one_of)

    def parse(cell: Any) -> str:
        text = cell if isinstance(cell, str) else str(cell)
        if "\0" in text:
            raise CellError(f"is {_shown(text)}, which holds a zero byte")
        if allowed and text not in allowed:
            raise CellError(f"is {_shown(text)}, not one of {', '.join(column.one_of)}")
        return text

    return parse


def _integer(column: ColumnSpec, _zone: ZoneInfo) -> Parser:
    check = _in_range(column)

    def parse(cell: Any) -> int:
        if isinstance(cell, str):
            if not _INTEGER.fullmatch(cell):
                raise CellError(f"is {_shown(cell)}, not a whole number")
            return int(check(int(cell)))
        if isinstance(cell, bool) or not isinstance(cell, int):
            raise CellError(f"is {_shown(cell)}, not a whole number")
        return int(check(cell))

    return parse


def _decimal(column: ColumnSpec, _zone: ZoneInfo) -> Parser:
    check = _in_range(column)

    def parse(cell: Any) -> Decimal:
        text = cell if isinstance(cell, str) else str(cell) if isinstance(cell, Decimal) else repr(cell)
        plain = None if isinstance(cell, bool) else _first_number(text, column.format)
        if plain is None or not _DECIMAL.fullmatch(plain):
            raise CellError(f"is {_shown(cell)}, not a number")
        return Decimal(check(Decimal(plain)))

    return parse


def _first_number(text: str, forms: tuple[str, ...]) -> str | None:
    return next((plain for form in forms if (plain := plain_number(text, form)) is not None), None)


def _in_range(column: ColumnSpec) -> Parser:
    low, high = column.at_least, column.at_most

    def check(number: Any) -> Any:
        if low is not None and number < low:
            raise CellError(f"is {number}, less than {low:g}")
        if high is not None and number > high:
            raise CellError(f"is {number}, more than {high:g}")
        if abs(number) > LARGEST:
            raise CellError(f"is {number}, more than any number that is stored")
        return number

    return check


def _boolean(_column: ColumnSpec, _zone: ZoneInfo) -> Parser:
    def parse(cell: Any) -> bool:
        if isinstance(cell, bool):
            return cell
        word = str(cell).casefold()
        if word not in _TRUE | _FALSE:
            raise CellError(f"is {_shown(cell)}, neither true nor false")
        return word in _TRUE

    return parse


def _date(column: ColumnSpec, _zone: ZoneInfo) -> Parser:
    @lru_cache(maxsize=_DATES_REMEMBERED)
    def parse_text(cell: str) -> dt.date:
        return _by_formats(cell, column.format, dt.date.fromisoformat).date()

    def parse(cell: Any) -> dt.date:
        if isinstance(cell, str):
            return parse_text(cell)
        if isinstance(cell, dt.datetime):
            return _midnight(cell)
        if isinstance(cell, dt.date):
            return cell
        raise CellError(f"is {_shown(cell)}, not a date")

    return parse


def _midnight(cell: dt.datetime) -> dt.date:
    if cell.time() != dt.time():
        raise CellError(f"is {cell.isoformat()}, not a date but a time of a day")
    return cell.date()


def _instant(column: ColumnSpec, zone: ZoneInfo) -> Parser:
    @lru_cache(maxsize=_DATES_REMEMBERED)
    def parse_text(cell: str) -> dt.datetime:
        return in_zone(_by_formats(cell, column.format, dt.datetime.fromisoformat), zone)

    def parse(cell: Any) -> dt.datetime:
        if isinstance(cell, str):
            return parse_text(cell)
        if isinstance(cell, dt.datetime):
            return in_zone(cell, zone)
        raise CellError(f"is {_shown(cell)}, not a date with a time")

    return parse


def in_zone(value: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the instant in UTC; a time without an offset is one of the source's zone."""
    aware = value if value.tzinfo is not None else value.replace(tzinfo=zone)
    try:
        return aware.astimezone(dt.UTC)
    except OverflowError:
        raise CellError(f"is {value}, which is out of all time") from None


def _by_formats(
    cell: str, formats: tuple[str, ...], iso: Callable[[str], dt.date | dt.datetime]
) -> dt.datetime:
    for form in formats:
        try:
            if form != "iso":
                return dt.datetime.strptime(cell, form)  # noqa: DTZ007  the zone is added by the caller
            value = iso(cell)
        except ValueError:
            continue
        if isinstance(value, dt.datetime):
            return value
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001  a date
    raise CellError(f"is {_shown(cell)}, not a date of the form {' or '.join(formats)}")


_PARSERS: dict[str, Callable[[ColumnSpec, ZoneInfo], Parser]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "instant": _instant,
}
