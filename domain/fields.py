"""The one registry of what conditions may speak of."""

import difflib
from collections.abc import Mapping

from domain.field_shape import Field, Place
from domain.fields_measured import MEASURED
from domain.fields_stated import RUN_FIELDS, STATED

FIELDS: Mapping[str, Field] = {**STATED, **MEASURED, **RUN_FIELDS}
"""Every field by its name."""

ALIASES: Mapping[str, str] = {"acted_tier": "tier"}
"""Other names that are read as a field; what is written back has the field's own."""

NUMBERS = frozenset({int, float})
SHOWN = 12
"""Names listed where nothing is near."""


def fields_known_in(place: Place) -> dict[str, Field]:
    """Return what a condition at this place may speak of."""
    return {name: field for name, field in FIELDS.items() if field.is_known_in(place)}


def fields_with_history() -> tuple[str, ...]:
    """Return the fields of which it is recorded since when they are what they are."""
    return tuple(name for name, field in FIELDS.items() if field.has_history)


def objection_to(name: str, place: Place) -> str | None:
    """Say why a condition at this place may not speak of a field, if so, with the nearest one that it may."""
    known = fields_known_in(place)
    if name in known:
        return None
    if name in FIELDS:
        return _misplaced(name)
    near = difflib.get_close_matches(name, [*known, *ALIASES], 1)
    listed = ", ".join(list(known)[:SHOWN])
    hint = f"; did you mean {near[0]}?" if near else f"; fields are {listed} … (all of them: /api/fields)"
    return f"there is no field {name!r}{hint}"


def _misplaced(name: str) -> str:
    if FIELDS[name].scope is Place.RUN:
        return f"only a playbook's run knows {name}; this is asked of customers"
    return (
        f"a signal of your own is played back over the past, where {name} is not known: use what facts tell"
    )
