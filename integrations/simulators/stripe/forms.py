"""Stripe's forms: `items[0][price]=x` as nested values, and a `msgspec.Struct` that says which are taken."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from integrations.simulators.stripe.errors import StripeRefusal, missing_parameter, unknown_parameter

T = TypeVar("T")
_PART = re.compile(r"\[([^\]]*)\]")
_UNKNOWN = re.compile(r"unknown field `(\w+)`")
_MISSING = re.compile(r"missing required field `(\w+)`")
_AT = re.compile(r"at `\$\.?([^`]*)`")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the values of a form or a query; `[]` appends, and numbers make a list."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        parts = [name.split("[", 1)[0], *_PART.findall(name)]
        place: dict[str, Any] = found
        for part in parts[:-1]:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else place
        last = parts[-1] or str(len(place))
        place[last] = value
    return {name: _listed(value) for name, value in found.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def read(values: dict[str, Any], wanted: type[T]) -> T:
    """Return the parameters; StripeRefusal names the one that is missing, unknown or of a wrong kind."""
    try:
        return msgspec.convert(values, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None


def _refusal(text: str) -> StripeRefusal:
    place = _AT.search(text)
    path = place.group(1) if place else ""
    unknown, missing = _UNKNOWN.search(text), _MISSING.search(text)
    if unknown:
        return unknown_parameter(_bracketed(path, unknown.group(1)))
    if missing:
        return missing_parameter(_bracketed(path, missing.group(1)))
    name = _bracketed(path)
    return StripeRefusal(f"Invalid {name}: {text}", code="parameter_invalid", param=name)


def _bracketed(path: str, last: str = "") -> str:
    """Write `items[0].price` as `items[0][price]`."""
    first, *others = [part for part in (*path.split("."), last) if part]
    return first + "".join(f"[{part}]" for part in others)
