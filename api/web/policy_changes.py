"""What differs between two forms of a policy, in words."""

from collections.abc import Iterable, Mapping

from api.web.policy_fields import Cells, Field, Kind, typed

NOTHING = "none"


def say_changes(
    fields: Iterable[Field], before: Mapping[str, str], after: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Return what differs between two forms: the label, what stands there, and what would."""
    pairs = ((field.label, _said(field, before), _said(field, after)) for field in fields)
    return [(label, was, will) for label, was, will in pairs if was != will]


def _said(field: Field, cells: Cells) -> str:
    if field.kind is not Kind.ROWS:
        return _say_cell(field, cells, field.name)
    rows = (
        ", ".join(
            f"{each.label.lower()} {said}" if place_in_row else said
            for place_in_row, each in enumerate(field.cells)
            if (said := _say_cell(each, cells, field.at(place, each))) != NOTHING
        )
        for place in field.places(cells)
    )
    return "; ".join(rows) or NOTHING


def _say_cell(field: Field, cells: Cells, name: str) -> str:
    written = typed(cells, name)
    match field.kind:
        case Kind.FLAG:
            return "yes" if written else "no"
        case Kind.CHOICES:
            chosen = [said for value, said in field.choices.items() if cells.get(f"{name}.{value}")]
            return ", ".join(chosen) or NOTHING
        case Kind.CHOICE:
            return field.choices.get(written, NOTHING)
        case Kind.SHARE:
            return f"{written} %"
        case Kind.AMOUNTS:
            return ", ".join(written.splitlines()) or NOTHING
    return written or NOTHING
