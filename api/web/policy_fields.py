"""The fields of a policy's form: between the document of the API and what people type."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from domain.money import exponent, minor_units

Cells = Mapping[str, Any]
"""What stands in the form, by the name of its control."""
SEPARATORS = re.compile(r"[\s,;]+")
GROUPING = re.compile(r"[,\s](?=\d{3}\b)")
LONG_HELP = 120
SPARE_ROWS = 1
"""Empty rows at the end of a table, to add with."""


class Kind(StrEnum):
    """How a value is typed."""

    NUMBER = "number"
    SHARE = "share"
    """In percent; the document holds 0 to 1."""
    NUMBERS = "numbers"
    WORD = "word"
    DATE = "date"
    AMOUNTS = "amounts"
    """A line a currency, in its unit; the document holds minor units by currency."""
    CHOICE = "choice"
    CHOICES = "choices"
    FLAG = "flag"
    ROWS = "rows"


@dataclass(frozen=True)
class Field:
    """One value of the document, by its dotted name there, or a table of them."""

    name: str
    label: str
    help: str = ""
    kind: Kind = Kind.NUMBER
    choices: Mapping[str, str] = attribute(default_factory=dict)
    """What may be chosen, each with its words."""
    cells: tuple["Field", ...] = ()
    """Of a table, the columns."""
    by_name: bool = False
    """A table whose document is by the first column; else it is a list."""
    is_optional: bool = False
    """Left empty it is not in the document at all."""

    @property
    def is_wide(self) -> bool:
        """Whether it says so much that it stands alone in its line."""
        return len(self.help) > LONG_HELP

    def at(self, place: int, cell: "Field") -> str:
        """Return the name of a control in a table's row."""
        return f"{self.name}.{place}.{cell.name}"

    def places(self, cells: Cells) -> list[int]:
        """Return the rows that are not empty, however many there are."""
        row = re.compile(rf"{re.escape(self.name)}\.(\d{{1,4}})\.")
        named = {int(found[1]) for found in map(row.match, cells) if found}
        return sorted(place for place in named if self._is_used(cells, place))

    def shown(self, cells: Cells) -> range:
        """Return the rows to show: up to the last that is used, and some to add with."""
        return range(max(self.places(cells), default=-1) + 1 + SPARE_ROWS)

    def _is_used(self, cells: Cells, place: int) -> bool:
        return any(_is_filled(each, cells, self.at(place, each)) for each in self.cells)


@dataclass(frozen=True)
class Group:
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]
    help: str = ""


def _is_filled(field: Field, cells: Cells, name: str) -> bool:
    if field.kind is Kind.CHOICES:
        return any(cells.get(f"{name}.{value}") for value in field.choices)
    return bool(typed(cells, name))


def typed(cells: Cells, name: str) -> str:
    """Return what stands in a control, without blanks around it."""
    return str(cells.get(name) or "").strip()


def read_document(fields: Iterable[Field], cells: Cells) -> dict[str, Any]:
    """Return the document that the form describes; what can't be read stays as typed, to be refused."""
    document: dict[str, Any] = {}
    for field in fields:
        _put(document, field, cells, field.name)
    return document


def _put(document: dict[str, Any], field: Field, cells: Cells, control: str) -> None:
    if field.is_optional and not _is_filled(field, cells, control):
        return
    *parents, last = field.name.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document[last] = _rows(field, cells) if field.kind is Kind.ROWS else _value(field, cells, control)


def _rows(field: Field, cells: Cells) -> Any:
    rows: list[dict[str, Any]] = []
    for place in field.places(cells):
        row: dict[str, Any] = {}
        for each in field.cells:
            _put(row, each, cells, field.at(place, each))
        rows.append(row)
    first = field.cells[0].name
    return {row.pop(first): row for row in rows} if field.by_name else rows


def _value(field: Field, cells: Cells, name: str) -> Any:
    if field.kind is Kind.CHOICES:
        return [value for value in field.choices if cells.get(f"{name}.{value}")]
    return READERS.get(field.kind, str)(typed(cells, name))


def _numbers(written: str) -> list[str]:
    return [each for each in SEPARATORS.split(written) if each]


def _plain(written: str) -> str:
    """Return a number without what groups its thousands."""
    return GROUPING.sub("", written)


def _share(written: str) -> float | str:
    try:
        return float(Decimal(written.rstrip("% ")) / 100)
    except InvalidOperation:
        return written


def _amounts(written: str) -> dict[str, int | str]:
    return dict(_amount_in(line) for line in map(str.strip, written.splitlines()) if line)


def _amount_in(line: str) -> tuple[str, int | str]:
    code, _, amount = line.partition(" ")
    try:
        return code.upper(), minor_units(_plain(amount.strip()), code)
    except (ValueError, ArithmeticError):
        return code.upper(), amount


READERS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.FLAG: bool,
    Kind.NUMBERS: _numbers,
    Kind.NUMBER: _plain,
    Kind.SHARE: _share,
    Kind.AMOUNTS: _amounts,
}


def written_cells(fields: Iterable[Field], document: Mapping[str, Any]) -> dict[str, str]:
    """Return a document as the form's cells, so that what is read back is the same."""
    cells: dict[str, str] = {}
    for field in fields:
        found = _found(document, field.name)
        if field.kind is Kind.ROWS:
            cells |= _row_cells(field, found)
        else:
            cells |= _cell(field, field.name, found)
    return cells


def _found(document: Mapping[str, Any], name: str) -> Any:
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _row_cells(field: Field, found: Any) -> dict[str, str]:
    first = field.cells[0].name
    rows = [{first: key, **row} for key, row in found.items()] if field.by_name else found
    cells: dict[str, str] = {}
    for place, row in enumerate(rows):
        for each in field.cells:
            cells |= _cell(each, field.at(place, each), _found(row, each.name))
    return cells


def _cell(field: Field, name: str, value: Any) -> dict[str, str]:
    match field.kind:
        case Kind.CHOICES:
            return {f"{name}.{each}": "1" for each in value}
        case Kind.FLAG:
            return {name: "1" if value else ""}
        case Kind.NUMBERS:
            return {name: ", ".join(map(str, value))}
        case Kind.AMOUNTS:
            return {name: "\n".join(_amount(code, minor) for code, minor in sorted(value.items()))}
        case Kind.SHARE:
            return {name: f"{(Decimal(str(value)) * 100).normalize():f}"}
    return {name: "" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)}


def _amount(code: str, minor: int) -> str:
    return f"{code} {Decimal(minor).scaleb(-exponent(code)):f}"
