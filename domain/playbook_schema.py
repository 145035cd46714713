"""The language as JSON Schema, for editors: what people may write, not what it becomes."""

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from domain.condition_words import OPERATORS
from domain.durations import write_offset
from domain.fields import FIELDS
from domain.playbook import Playbook

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SPAN = {
    "type": "string",
    "pattern": r"^\s*[0-9]{1,8}\s*[mhdw]\s*$",
    "description": "A span: a whole number and m, h, d or w.",
    "examples": ["5d"],
}
ISO = TypeAdapter(timedelta)
OFFSETS = {("DateTrigger", "at"), ("UntilDate", "offset")}
TIME = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$", "examples": ["09:00"]}


def playbook_schema() -> dict[str, Any]:
    """Return the schema of a playbook document, as it is served to editors."""
    schema = Playbook.model_json_schema(by_alias=True)
    definitions = {name: _definition(name, part) for name, part in schema.pop("$defs").items()}
    definitions["Compare"] = _comparison()
    whole = _mended(schema)
    return {
        "$schema": DIALECT,
        "title": "Everstay playbook",
        **{name: value for name, value in whole.items() if name != "title"},
        "$defs": definitions,
    }


def _definition(name: str, part: dict[str, Any]) -> dict[str, Any]:
    mended: dict[str, Any] = _mended(part)
    if name == "Step":
        mended["required"] = ["id"]
    for model, field in OFFSETS:
        if name == model:
            before = {"pattern": r"^\s*[+-]?\s*[0-9]{1,8}\s*[mhdw]\s*$", "examples": ["-30d", "90d"]}
            mended["properties"][field] |= before | {"description": "A span before (-30d) or after it."}
    return mended


def _mended(part: Any) -> Any:
    """Return a part with spans and times as people write them, and without the titles that repeat names."""
    if isinstance(part, list):
        return [_mended(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "duration":
        return SPAN | _default(part)
    if part.get("format") == "time":
        return TIME | {name: part[name] for name in ("default",) if name in part}
    return {
        name: {own: _mended(one) for own, one in value.items()} if name == "properties" else _mended(value)
        for name, value in part.items()
        if name != "title" or not isinstance(value, str)
    }


def _default(part: dict[str, Any]) -> dict[str, Any]:
    """Return a default in the form that documents have, where the model gave one in ISO's."""
    if "default" not in part:
        return {}
    return {"default": write_offset(ISO.validate_python(part["default"]))}


def _comparison() -> dict[str, Any]:
    """Describe `{field: tier, is: high}`: one comparison by its name, or `op` and `value`."""
    fields = {
        "type": "string",
        "oneOf": [{"const": name, "description": field.meaning} for name, field in FIELDS.items()],
    }
    one: dict[str, Any] = {"type": ["boolean", "number", "string", "null"]}
    several = {"type": "array", "items": one, "minItems": 1}
    number = {"type": "number"}
    values = {"one_of": several} | dict.fromkeys(("is", "is_not"), one)
    operators: dict[str, Any] = {name: values.get(name, number) for name in OPERATORS}
    either = [{"required": [name]} for name in operators] + [{"required": ["op", "value"]}]
    return {
        "type": "object",
        "description": "A comparison: {field: tier, is: high}. An empty field is only ever is: null.",
        "properties": {
            "field": fields,
            **operators,
            "op": {"enum": list(OPERATORS)},
            "value": {"anyOf": [one, several]},
        },
        "required": ["field"],
        "oneOf": either,
        "additionalProperties": False,
    }
