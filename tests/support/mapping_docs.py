"""The field tables of docs/imports.md, made from the models that they describe."""

from collections.abc import Mapping

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from domain import mapping
from domain.mapping import FACTS
from domain.mapping_check import RESERVED
from domain.mapping_values import field_kind

TABLES: Mapping[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        mapping.Mapping,
        mapping.SourceSpec,
        mapping.FileSpec,
        mapping.ColumnSpec,
        mapping.FactSpec,
        mapping.ValueSpec,
        mapping.PlusSpec,
        mapping.Condition,
        mapping.LookupSpec,
        mapping.ClockSpec,
    )
} | {"facts": BaseModel}


def table_of(name: str) -> str:
    """Return a table as Markdown."""
    if name == "facts":
        return _facts()
    rows = [
        f"| `{field}` | {_default(info)} | {info.description} |"
        for field, info in TABLES[name].model_fields.items()
    ]
    return "\n".join(["| field | default | what it is |", "|---|---|---|", *rows, ""])


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.default
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _facts() -> str:
    rows = ["| fact | fields it needs | fields it may have |", "|---|---|---|"]
    for kind, model in FACTS.items():
        fields = {name: info for name, info in model.model_fields.items() if name not in RESERVED}
        needed = [_named(kind, name) for name, info in fields.items() if info.is_required()]
        others = [_named(kind, name) for name, info in fields.items() if not info.is_required()]
        rows.append(f"| {kind} | {', '.join(needed)} | {', '.join(others)} |")
    return "\n".join([*rows, ""])


def _named(kind: str, name: str) -> str:
    shown = field_kind(FACTS[kind], name)
    return f"`{name}`" if shown == "text" else f"`{name}` ({shown})"
