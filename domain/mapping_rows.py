"""Rows to facts by a mapping: each row gives its facts, or the first reason why it cannot."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from domain.facts import Fact, FactBase
from domain.mapping import FACTS, Condition, FactSpec, FileSpec, SourceSpec, ValueSpec
from domain.mapping_cells import CellError, Parser, compile_column
from domain.mapping_values import FieldError, Getter, Lookups, Setting, Values, compile_value, field_kind
from domain.tabular import Cells
from domain.time import BusinessInstant

ROW = "(row)"
"""Stands for the field where a whole row is at fault."""


class RowConverter:
    """Turns the rows of one kind of file into facts; compiled once, used for every row."""

    def __init__(
        self, file: FileSpec, source: SourceSpec, lookups: Lookups, now: BusinessInstant | None = None
    ) -> None:
        """Compile the columns and the facts of a file of a checked mapping; `now` is when it is imported."""
        zone = ZoneInfo(source.time_zone)
        setting = Setting(zone, lookups, now)
        self._parsers: list[tuple[str, Parser]] = [
            (name, compile_column(column, zone)) for name, column in file.columns.items()
        ]
        self._compared = compared_columns(file)
        self._facts = [_CompiledFact(fact, setting) for fact in file.facts]

    def facts_of(self, cells: Cells) -> list[Fact]:
        """Return the facts that a row tells; raises FieldError with the column and the reason."""
        values: dict[str, Any] = {}
        for name, parse in self._parsers:
            try:
                values[name] = parse(cells.get(name))
            except CellError as error:
                raise FieldError(name, str(error)) from None
        fingerprint = self._fingerprint(cells)
        facts = [fact.build(values, fingerprint) for fact in self._facts if fact.holds(values)]
        if not facts:
            raise FieldError(ROW, "meets no condition of the mapping")
        return facts

    def field_of(self, fact: Fact, field: str) -> str:
        """Return the column behind a field of a fact, for people who look into the file."""
        for compiled in self._facts:
            if compiled.model is type(fact):
                return compiled.shown(field)
        return field

    def _fingerprint(self, cells: Cells) -> str | None:
        """Return the hash of what no fact uses, so that other content under one key is noticed."""
        if not self._compared:
            return None
        content = repr([str(cells.get(name)) for name in self._compared])
        return hashlib.blake2b(content.encode(), digest_size=12).hexdigest()


def compared_columns(file: FileSpec) -> tuple[str, ...]:
    """Return the columns that no fact uses and that are not volatile, sorted: their order is no content."""
    used = {name for fact in file.facts for name in _used_by(fact)}
    return tuple(
        sorted(name for name, column in file.columns.items() if name not in used and not column.volatile)
    )


def _used_by(fact: FactSpec) -> set[str]:
    used = {condition.column for condition in fact.when}
    for value in (*fact.fields.values(), *fact.properties.values()):
        used |= {value.column or "", *value.join}
        used |= {value.plus.column or ""} if value.plus is not None else set()
    return used


class _CompiledFact:
    """One fact of a row, ready to be built."""

    def __init__(self, spec: FactSpec, setting: Setting) -> None:
        self.model: type[FactBase] = FACTS[spec.type]
        self._specs = spec.fields
        self._conditions = [_condition(condition) for condition in spec.when]
        self._fields: list[tuple[str, Getter]] = [
            (name, compile_value(name, value, field_kind(self.model, name), setting))
            for name, value in spec.fields.items()
        ]
        self._properties: list[tuple[str, Getter]] = [
            (name, compile_value(name, value, "any", setting)) for name, value in spec.properties.items()
        ]

    def holds(self, values: Values) -> bool:
        """Tell whether the row tells this fact."""
        return all(condition(values) for condition in self._conditions)

    def build(self, values: Values, fingerprint: str | None) -> Any:
        """Return the fact; what the row leaves out takes the fact's own default."""
        told = {name: value for name, get in self._fields if (value := get(values)) is not None}
        if self._properties:
            told["properties"] = {name: _plain(get(values)) for name, get in self._properties}
        try:
            return self.model(**told, fingerprint=fingerprint)
        except ValidationError as error:
            raise self._translated(error) from None

    def shown(self, field: str) -> str:
        """Return the column that a field comes from."""
        spec = self._specs.get(field)
        return field if spec is None else _column_of(spec) or field

    def _translated(self, error: ValidationError) -> FieldError:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ROW
        shown = "" if first["type"] == "missing" else f"is {first['input']!r}: "
        return FieldError(self.shown(field), f"{shown}{first['msg']}")


def _column_of(spec: ValueSpec) -> str | None:
    return spec.column or ("+".join(spec.join) if spec.join else None)


def _plain(value: Any) -> Any:
    """Return a value that JSON keeps: numbers as numbers, the rest as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def _condition(spec: Condition) -> Callable[[Mapping[str, Any]], bool]:
    column, wanted, unwanted, filled = spec.column, set(spec.one_of), set(spec.none_of), spec.filled

    def holds(values: Mapping[str, Any]) -> bool:
        value = values[column]
        word = str(value).lower() if isinstance(value, bool) else str(value)
        if filled is not None and (value is not None) is not filled:
            return False
        if wanted and word not in wanted:
            return False
        return not (unwanted and word in unwanted)

    return holds
