"""What is wrong with a policy's form, in words, by the control where it is mended."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from api.web.policy_fields import Cells, Field, Kind, typed

WHOLE = ""
"""The name under which stands what no single control can mend."""
FIXES = {
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "int_type": "write a whole number",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "missing": "fill this in",
    "literal_error": "choose one from the list",
    "enum": "choose one from the list",
    "date_from_datetime_parsing": "write a date such as 2026-03-02",
    "date_parsing": "write a date such as 2026-03-02",
}
LIMITS = {
    "greater_than_equal": ("ge", "write {} or more"),
    "less_than_equal": ("le", "write {} or less"),
    "greater_than": ("gt", "write more than {}"),
    "less_than": ("lt", "write less than {}"),
    "too_short": ("min_length", "name at least {}"),
    "too_long": ("max_length", "name at most {}"),
}
PATTERNS = {
    Kind.AMOUNTS: "write a line as USD 500.00: the currency in three letters, and the amount in its unit",
    Kind.WORD: "write it in lower case, such as visa",
}


def problems_in(fields: Sequence[Field], cells: Cells, error: ValidationError) -> dict[str, str]:
    """Return what is wrong, by control; the first word about each. Under `WHOLE` what belongs to none."""
    found: dict[str, str] = {}
    for each in error.errors():
        control, field = _control(fields, cells, tuple(map(str, each["loc"])), each["msg"])
        found.setdefault(control, _fix(each, field, fields))
    return found


def repeated_names(fields: Sequence[Field], cells: Cells) -> dict[str, str]:
    """Return the rows that have the name of one before them: only the last would be kept."""
    found: dict[str, str] = {}
    for field in (each for each in fields if each.by_name):
        seen: set[str] = set()
        for place in field.places(cells):
            control = field.at(place, field.cells[0])
            name = typed(cells, control)
            if name in seen:
                found[control] = f"{name} stands above already: keep one of the two rows"
            seen.add(name)
    return found


def _control(
    fields: Sequence[Field], cells: Cells, loc: tuple[str, ...], message: str
) -> tuple[str, Field | None]:
    """Return the control that a place in the document belongs to."""
    for field in fields:
        parts = tuple(field.name.split("."))
        if loc[: len(parts)] == parts:
            return _in_row(field, cells, loc[len(parts) :], message)
    inside = [field for field in fields if tuple(field.name.split("."))[: len(loc)] == loc]
    return _named(inside, message)


def _in_row(field: Field, cells: Cells, rest: tuple[str, ...], message: str) -> tuple[str, Field | None]:
    if field.kind is not Kind.ROWS or not rest:
        return field.name, field
    place = _place(field, cells, rest[0])
    _, cell = _control(field.cells, cells, rest[1:], message)
    cell = cell or field.cells[0]
    return field.at(place, cell), cell


def _place(field: Field, cells: Cells, key: str) -> int:
    """Return the row of the form behind a list's index, or behind a name."""
    places = field.places(cells)
    if field.by_name:
        first = field.cells[0]
        return next((place for place in places if typed(cells, field.at(place, first)) == key), 0)
    return places[int(key)]


def _named(fields: Sequence[Field], message: str) -> tuple[str, Field | None]:
    """Return the field that a sentence about several names first."""
    places = [(message.find(_last(field)), field) for field in fields]
    first = min(((at, field.name) for at, field in places if at >= 0), default=None)
    if first is None:
        return WHOLE, None
    return next((field.name, field) for field in fields if field.name == first[1])


def _last(field: Field) -> str:
    return field.name.rpartition(".")[2]


def _fix(error: Mapping[str, Any], field: Field | None, fields: Sequence[Field]) -> str:
    """Return what to do, in the units of the form."""
    kind = str(error["type"])
    if kind in LIMITS:
        name, words = LIMITS[kind]
        return words.format(_in_units(error["ctx"][name], field))
    if kind == "string_pattern_mismatch" and field is not None:
        return PATTERNS.get(field.kind, "write it as above")
    if kind in FIXES and (field is None or field.kind is not Kind.AMOUNTS):
        return FIXES[kind]
    if field is not None and field.kind is Kind.AMOUNTS and kind != "value_error":
        return PATTERNS[Kind.AMOUNTS]
    return _in_labels(str(error["msg"]).removeprefix("Value error, "), fields)


def _in_units(limit: Any, field: Field | None) -> str:
    if field is not None and field.kind is Kind.SHARE:
        return f"{100 * limit:g} %"
    return f"{limit:g}"


def _in_labels(message: str, fields: Sequence[Field]) -> str:
    """Return a sentence about names of the document with the words of the form instead."""
    for name, label in _labels(fields):
        message = re.sub(rf"\b{re.escape(name)}\b", f"“{label}”", message)
    return message


def _labels(fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    for field in fields:
        if "_" in _last(field):
            yield _last(field), field.label
        yield from _labels(field.cells)
