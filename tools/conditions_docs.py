"""Writes the table of fields in docs/conditions.md from the registry: what is published is what is read."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from domain.field_shape import Field, Place
from domain.fields import FIELDS

TARGET = Path(__file__).resolve().parent.parent / "docs" / "conditions.md"
BETWEEN = re.compile(r"(?<=<!-- fields -->\n).*?(?=<!-- end of fields -->)", re.DOTALL)
TYPES = {int: "whole number", float: "number", str: "text", bool: "true or false"}
HEAD = ("field", "type", "unit", "meaning", "rests on", "as of", "history", "own")


def cells(name: str, field: Field) -> tuple[str, ...]:
    """Return one line of the table."""
    as_of = "run" if field.scope is Place.RUN else field.as_of.value
    words = f" ({', '.join(field.words)})" if field.words and field.words[0] not in field.meaning else ""
    marks = ("yes" if field.has_history else "", "yes" if field.in_signals else "")
    kind, unit, needs = TYPES[field.type], field.unit or "", field.needs or ""
    return (f"`{name}`", kind, unit, field.meaning + words, needs, as_of, *marks)


def table() -> str:
    """Return every field, in the order of the registry."""
    lines = [HEAD, ("---",) * len(HEAD), *(cells(name, field) for name, field in FIELDS.items())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def render() -> str:
    """Return the whole page with the table as it should be."""
    return BETWEEN.sub(lambda _found: table(), TARGET.read_text(encoding="utf-8"))


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
