"""How conditions compare, and what is wrong with a comparison: shared by comparisons and clauses."""

import difflib
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.field_shape import Field, FieldValue
from domain.fields import NUMBERS

Values = FieldValue | tuple[FieldValue, ...]

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "at_least": operator.ge,
    "at_most": operator.le,
    "more_than": operator.gt,
    "less_than": operator.lt,
    "one_of": lambda value, choices: value in choices,
}
ORDERED = frozenset({"at_least", "at_most", "more_than", "less_than"})
COUNTS = ("at_least", "at_most", "more_than", "less_than", "is")
"""How a number of times is compared."""
NAMES = {str: "a text", int: "a number", float: "a number", bool: "true or false"}


class ConditionFault(ValueError):  # noqa: N818 - pydantic tells it as a line of an error, never raised to people
    """One mistake, and the key at which it stands."""

    def __init__(self, reason: str, at: str) -> None:
        """Keep the key for the path."""
        super().__init__(reason)
        self.at = at


def short_form(data: Mapping[str, Any], names: Iterable[str], value: str) -> dict[str, Any]:
    """Return `{…, at_least: 3}` as `{…, op: at_least, value: 3}`, under the name that the value has."""
    names = tuple(names)
    used = [name for name in names if name in data]
    if len(used) != 1:
        message = f"a comparison names exactly one of {', '.join(names)}"
        raise ValueError(message)
    rest = {key: each for key, each in data.items() if key != used[0]}
    return rest | {"op": used[0], value: data[used[0]]}


def check_value(name: str, field: Field, op: str, value: Values) -> None:
    """Refuse what could only fail when it is asked, or never be true."""
    if isinstance(value, tuple) is not (op == "one_of"):
        raise ConditionFault(
            "one_of takes a list such as [high, critical], and every other comparison one value", op
        )
    if op in ORDERED and field.type not in NUMBERS:
        reason = f"{op} compares numbers, and {name} is none"
        raise ConditionFault(reason, op)
    for each in value if isinstance(value, tuple) else (value,):
        if not _is_a(each, field.type, or_empty=op not in ORDERED):
            reason = f"{name} is {NAMES[field.type]}, not {each!r}"
            raise ConditionFault(reason, op)
        _check_word(name, field, op, each)


def _is_a(value: FieldValue, kind: type, *, or_empty: bool) -> bool:
    """Tell whether a field of this type can have this value; `true` is no number here."""
    if value is None:
        return or_empty
    if kind in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
    return isinstance(value, kind) and (not isinstance(value, str) or is_storable(value))


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_storable(text: str) -> bool:
    """Tell whether a text has no zero byte and no half of a character, which no database holds."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _check_word(name: str, field: Field, op: str, value: FieldValue) -> None:
    """Refuse a word that the field never has: the comparison could not come true."""
    if not field.words or value is None or value in field.words:
        return
    near = difflib.get_close_matches(str(value), field.words, 1)
    hint = f"; did you mean {near[0]}?" if near else f": it is one of {', '.join(field.words)}"
    reason = f"{name} is never {value!r}{hint}"
    raise ConditionFault(reason, op)


def fits(found: FieldValue, op: str, value: Values) -> bool:
    """Tell whether a value compares as asked. An empty one is neither more nor less than anything.

    Numbers are compared as floating-point numbers, as the database does.
    """
    if found is None and op in ORDERED:
        return False
    asked = tuple(map(_plain, value)) if isinstance(value, tuple) else _plain(value)
    return OPERATORS[op](_plain(found), asked)


def _plain(value: FieldValue) -> FieldValue:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
