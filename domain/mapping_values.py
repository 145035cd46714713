"""Where the value of one field comes from, compiled to a function of the row's parsed cells."""

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

from domain.facts import FactBase
from domain.mapping import PlusSpec, ValueSpec
from domain.mapping_cells import LARGEST, CellError
from domain.time import BusinessInstant

Values = Mapping[str, Any]
Getter = Callable[[Values], Any]
Lookups = Mapping[str, Mapping[str, str]]


class FieldError(ValueError):
    """A field of a fact cannot be made from the row."""

    def __init__(self, field: str, reason: str) -> None:
        """Keep the column (or field) and the reason apart."""
        self.field, self.reason = field, reason
        super().__init__(f"{field} {reason}")


@dataclass(frozen=True)
class Setting:
    """What surrounds a row: the zone of its dates, the tables to look things up in, and when it is read."""

    zone: ZoneInfo
    lookups: Lookups
    now: BusinessInstant | None = None


def compile_value(name: str, spec: ValueSpec, kind: str, setting: Setting) -> Getter:
    """Return the function from a row's cells to the value of one field; it raises FieldError."""
    zone, lookups = setting.zone, setting.lookups
    shown = spec.column or (spec.join[0] if spec.join else name)
    steps = [
        step
        for step in (
            _mapped(spec),
            _looked_up(spec, lookups),
            _scaled(spec),
            _prefixed(spec),
            _limited(spec),
        )
        if step is not None
    ]
    origin, plus, turn = _origin(spec, setting.now), _plus(spec.plus), _turner(kind, spec, setting)

    def get(cells: Values) -> Any:
        value = origin(cells)
        if value is None:
            return spec.default
        try:
            for step in steps:
                value = step(value)
            if value is not None and plus is not None:
                value = plus(_as_instant(value, spec, zone), cells)
            return None if value is None else turn(value)
        except CellError as error:
            raise FieldError(shown, str(error)) from None

    return get


def field_kind(model: type[FactBase], name: str) -> str:
    """Return what kind of value a field takes: text, integer, number, boolean, date, instant, words, any."""
    return _kind(model.model_fields[name].annotation)


def _kind(annotation: Any) -> str:
    inner = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) is Literal:
        return "text"
    if get_origin(annotation) is tuple:
        return "words"
    if inner:
        return _kind(inner[0])
    if annotation is BusinessInstant:
        return "instant"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "text"
    return _KINDS.get(annotation, "any")


_KINDS: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    dt.date: "date",
    dt.datetime: "instant",
}


def _origin(spec: ValueSpec, now: BusinessInstant | None) -> Getter:
    if spec.now:
        return lambda _cells: now
    if spec.column is not None:
        column = spec.column
        return lambda cells: cells[column]
    if spec.join:
        columns, separator = spec.join, spec.separator
        return lambda cells: separator.join(_key_part(cells[name]) for name in columns).strip() or None
    return lambda _cells: spec.constant


def _key_part(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, dt.date) else str(value)


def _mapped(spec: ValueSpec) -> Getter | None:
    if spec.map is None:
        return None
    words = spec.map

    def step(value: Any) -> Any:
        word = str(value).lower() if isinstance(value, bool) else str(value)
        if word not in words:
            raise CellError(f"is {word!r}, not one of {', '.join(words)}")
        return words[word]

    return step


def _looked_up(spec: ValueSpec, lookups: Lookups) -> Getter | None:
    if spec.lookup is None:
        return None
    name, table, default = spec.lookup, lookups.get(spec.lookup, {}), spec.default

    def step(value: Any) -> Any:
        found = table.get(str(value), default)
        if found is None:
            raise CellError(f"is {str(value)!r}, which {name} does not know")
        return found

    return step


def _scaled(spec: ValueSpec) -> Getter | None:
    if spec.scale is None:
        return None
    factor = Decimal(repr(spec.scale))

    def step(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise CellError(f"is {value!r}, not a number that could be scaled")
        return round(value * factor) if spec.round else value * factor

    return step


def _prefixed(spec: ValueSpec) -> Getter | None:
    return None if not spec.prefix else lambda value: f"{spec.prefix}{value}"


def _limited(spec: ValueSpec) -> Getter | None:
    if spec.null_after is None:
        return None
    last = spec.null_after
    return lambda value: None if _day(value) > last else value


def _day(value: Any) -> dt.date:
    day: dt.date = value.date() if isinstance(value, dt.datetime) else value
    return day


def _plus(spec: PlusSpec | None) -> Callable[[dt.datetime, Values], Any] | None:
    if spec is None:
        return None
    unit, column, amount = spec.unit, spec.column, spec.amount

    def add(value: dt.datetime, cells: Values) -> Any:
        number = amount if column is None else cells[column]
        if number is None:
            return None
        try:
            return value + dt.timedelta(**{unit: float(number)})
        except OverflowError:
            raise CellError(f"lies {number} {unit} from a date, which is out of all time") from None

    return add


def _turner(kind: str, spec: ValueSpec, setting: Setting) -> Getter:
    zone, now = setting.zone, setting.now
    if kind == "instant" and spec.at_latest_now and now is not None:
        return lambda value: min(_as_instant(value, spec, zone), now)
    if kind == "instant":
        return lambda value: _as_instant(value, spec, zone)
    return _TURNERS.get(kind, lambda value: value)


def _as_instant(value: Any, spec: ValueSpec, zone: ZoneInfo) -> dt.datetime:
    """Return an instant; a date means its first, or with end_of_day the first of the next day."""
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, str):
        value = dt.date.fromisoformat(value)
    if not isinstance(value, dt.date):
        raise CellError(f"is {value!r}, not a date")
    try:
        day = value + dt.timedelta(days=1 if spec.at == "end_of_day" else 0)
        return dt.datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(dt.UTC)
    except OverflowError:
        raise CellError(f"is {value}, which is out of all time") from None


def _as_text(value: Any) -> str:
    if isinstance(value, bool | float | Decimal) or not isinstance(value, str | int):
        raise CellError(f"is {value!r}, not a text")
    return str(value)


def _as_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise CellError(f"is {value!r}, not a whole number")
    number = int(value)
    if value != number:
        raise CellError(f"is {value}, which is no whole number here")
    if abs(number) > LARGEST:
        raise CellError(f"is {value}, more than any number that is stored")
    return number


def _as_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise CellError(f"is {value!r}, not a number")
    return float(value)


def _as_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise CellError(f"is {value!r}, neither true nor false")
    return value


def _as_date(value: Any) -> dt.date:
    if isinstance(value, str):
        return dt.date.fromisoformat(value)
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise CellError(f"is {value!r}, not a date")
    return value


def _as_words(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


_TURNERS: dict[str, Getter] = {
    "text": _as_text,
    "integer": _as_integer,
    "number": _as_number,
    "boolean": _as_boolean,
    "date": _as_date,
    "words": _as_words,
}
