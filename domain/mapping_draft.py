"""A mapping made of what a person chose for a file's columns, in the language of mappings/*.yaml."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.column_profiles import Profile
from domain.mapping import FactType, known_zone
from domain.mapping_targets import targets
from domain.mapping_words import word_map
from domain.money import minor_per_unit

SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_IN_MINOR = ("minor", "cents", "pence")
_PAYMENT_DAYS = 30
_KNOWN_WITH = {
    "subscription": "started_at",
    "usage": "occurred_at",
    "ticket": "opened_at",
    "survey": "responded_at",
    "meeting": "scheduled_at",
    "invoice": "issued_at",
    "touchpoint": "occurred_at",
    "cancellation": "occurred_at",
}
"""When a past fact was known: at its own date. What a list of customers says is known since the import."""
_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "customer": (("domain",), ("name",)),
    "contact": (("email",), ("customer", "name")),
    "subscription": (("customer", "product", "plan", "started_at"),),
    "usage": (("customer", "contact", "feature", "occurred_at"),),
    "ticket": (("customer", "subject", "opened_at"),),
    "survey": (("customer", "contact", "responded_at"),),
    "meeting": (("customer", "title", "scheduled_at"),),
    "goal": (("customer", "title"),),
    "invoice": (("number",), ("customer", "issued_at", "amount_due_minor")),
    "touchpoint": (("customer", "contact", "channel", "occurred_at"),),
    "cancellation": (("customer", "occurred_at"),),
}
"""What tells facts apart where the file has no ids: the first whose first field is mapped."""
_PLAIN: Mapping[str, Mapping[str, str]] = {
    "subscription": {"product": "subscription"},
    "usage": {"feature": "usage"},
    "meeting": {"title": "Meeting"},
    "touchpoint": {"direction": "out", "channel": "note"},
}

Fields = dict[str, Any]


class Choices(BaseModel):
    """What a person chose; what is saved under a name and used for the next file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FactType = Field(description="The kind of fact that every row tells.")
    fields: dict[str, str] = Field(description="The field that a column fills, by column.")
    forms: dict[str, str] = Field(
        default_factory=dict, description="How the dates of a column are written, where there is doubt."
    )
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="Of amounts, where no column says it.")
    time_zone: str = Field("UTC", description="Of dates, and of times without an offset.")


def problems(choices: Choices, columns: Sequence[Profile]) -> list[str]:
    """Return, in sentences, what still has to be chosen before the file can be read."""
    told = list(choices.fields.values())
    known, names = targets(choices.kind), {column.name for column in columns}
    found = [f"“{name}” is no column of the file." for name in choices.fields if name not in names]
    found += [f"There is no field “{one}” for this kind." for one in told if one not in known]
    needed = [target for target in known.values() if target.required and target.field not in told]
    found += [f"Choose the column for “{target.label}”." for target in needed]
    twice = {one for one in told if told.count(one) > 1 and one != "count_of"} & set(known)
    found += [f"Two columns are “{known[one].label}”; keep one." for one in sorted(twice)]
    found += [*_alternatives(choices.kind, told), *_unfit(choices, columns)]
    try:
        known_zone(choices.time_zone)
    except ValueError as error:
        found.append(f"{str(error).capitalize()}.")
    return found


def _alternatives(kind: str, told: Sequence[str]) -> list[str]:
    if kind == "subscription" and not {"mrr_minor", "arr_minor"} & set(told):
        return ["Choose the column for the monthly or the yearly revenue."]
    if kind == "subscription" and {"mrr_minor", "arr_minor"} <= set(told):
        return ["Choose the monthly or the yearly revenue, not both."]
    if kind == "contact" and not {"name", "first_name", "last_name", "email"} & set(told):
        return ["Choose a column for the name or the e-mail."]
    if kind == "usage" and {"feature", "quantity"} & set(told) and "count_of" in told:
        return ["Either columns count features by their names, or a column names the feature; not both."]
    return []


def _unfit(choices: Choices, columns: Sequence[Profile]) -> list[str]:
    """Return which columns cannot hold what they are said to hold."""
    known, found = targets(choices.kind), []
    for column in columns:
        target = known.get(choices.fields.get(column.name, ""))
        if target is None or not column.filled:
            continue
        if target.expects == "moment" and not column.is_moment:
            found.append(f"“{column.name}” holds no dates, so it cannot be “{target.label}”.")
        if target.expects in {"number", "money", "score"} and not column.is_number:
            found.append(f"“{column.name}” holds no numbers, so it cannot be “{target.label}”.")
    return found


def draft(
    choices: Choices, columns: Sequence[Profile], source: Mapping[str, Any], file: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the document; `source` has id and name, `file` has match, format and delimiter."""
    used = _by_field(choices)
    facts = [_fact(choices, columns, used, None)]
    counted = [name for name, one in choices.fields.items() if one == "count_of"]
    if counted:
        facts = [_fact(choices, columns, used, name) for name in counted]
    provides = "usage" if choices.kind == "usage" else f"{choices.kind}s"
    return {
        "source": {"kind": "upload", "provides": [provides], "time_zone": choices.time_zone, **source},
        "files": [
            {
                "name": provides,
                **file,
                "columns": {column.name: _column(column, choices) for column in columns},
                "facts": facts,
            }
        ],
    }


def _by_field(choices: Choices) -> dict[str, str]:
    return {one: name for name, one in choices.fields.items() if one != "count_of"}


def _column(column: Profile, choices: Choices) -> Fields:
    """Return what a column holds. Unused ones are text and may change: they are no content of ours."""
    if column.name not in choices.fields:
        return {"optional": True, "volatile": True}
    kind = _read_as(column, targets(choices.kind)[choices.fields[column.name]].expects)
    told: Fields = {} if kind == "text" else {"type": kind}
    form = choices.forms.get(column.name, column.forms[0])
    if form != "iso" and kind in {"date", "instant", "decimal"}:
        told["format"] = [form]
    if _may_be_empty(choices, column.name):
        told["optional"] = True
    if set(column.empties) - {""}:
        told["empty"] = ["", *sorted(set(column.empties) - {""})]
    return told


def _read_as(column: Profile, expects: str) -> str:
    if expects in {"number", "money", "score"}:
        return column.type if column.is_number else "decimal"
    if expects == "moment":
        return column.type if column.is_moment else "date"
    return "boolean" if expects == "boolean" else "text"


def _may_be_empty(choices: Choices, name: str) -> bool:
    target = targets(choices.kind)[choices.fields[name]]
    return not target.required and target.field != "key"


def _fact(
    choices: Choices, columns: Sequence[Profile], used: Mapping[str, str], count_of: str | None
) -> Fields:
    by_name = {column.name: column for column in columns}
    known = targets(choices.kind)
    fields: Fields = {
        one: _value(one, by_name[name], known[one].expects, choices)
        for one, name in used.items()
        if one not in {"first_name", "last_name", "arr_minor" if choices.kind == "subscription" else ""}
    }
    fields |= _defaults(choices, used, by_name)
    fact: Fields = {"type": choices.kind}
    if count_of is not None:
        fields |= {"feature": {"constant": count_of}, "quantity": count_of}
        fact["when"] = [{"column": count_of, "filled": True}]
    fields["key"] = _key(choices.kind, used, count_of)
    fields.setdefault("known_at", _known_at(choices.kind, used, by_name))
    return fact | {"fields": fields}


def _value(field: str, column: Profile, expects: str, choices: Choices) -> Any:
    """Return where a field's value comes from; a plain name where the column has it as it is."""
    if expects == "money":
        return _money(column, choices)
    words = word_map(choices.kind, field, column.words)
    if words is not None:
        return {"column": column.name, "map": words}
    return column.name


def _money(column: Profile, choices: Choices, divided_by: int = 1) -> Any:
    per_unit = 1 if column.name.lower().endswith(_IN_MINOR) else minor_per_unit(choices.currency)
    if per_unit == 1 and divided_by == 1 and column.type == "integer":
        return column.name
    return {"column": column.name, "scale": per_unit / divided_by, "round": True}


def _defaults(choices: Choices, used: Mapping[str, str], by_name: Mapping[str, Profile]) -> Fields:
    """Return what the kind needs and no column says."""
    found: Fields = {}
    if "currency" in targets(choices.kind):
        found["currency"] = {"constant": choices.currency}
    found |= {one: {"constant": word} for one, word in _PLAIN.get(choices.kind, {}).items()}
    if choices.kind == "survey":
        found["kind"] = {"constant": _survey_kind(by_name[used["score"]])}
    if choices.kind == "invoice":
        found["due_at"] = {"column": used["issued_at"], "plus": {"amount": _PAYMENT_DAYS, "unit": "days"}}
    if choices.kind == "contact":
        found |= _contact(used)
    found = {one: value for one, value in found.items() if one not in used}
    if choices.kind == "subscription" and "arr_minor" in used:
        found["mrr_minor"] = _money(by_name[used["arr_minor"]], choices, 12)
    return found


def _contact(used: Mapping[str, str]) -> Fields:
    found: Fields = {} if "since" in used else {"since": {"now": True}}
    if "name" not in used:
        parts = [used[one] for one in ("first_name", "last_name") if one in used]
        found["name"] = {"join": parts, "separator": " "} if parts else used["email"]
    return found


def _survey_kind(score: Profile) -> str:
    return "csat" if (score.low or 0) >= 1 and (score.high or 0) <= 5 else "nps"  # noqa: PLR2004  CSAT's scale


def _key(kind: str, used: Mapping[str, str], count_of: str | None) -> Any:
    if "key" in used:
        return used["key"] if count_of is None else {"join": [used["key"]], "prefix": f"{count_of}/"}
    for fields in _KEYS[kind]:
        if fields[0] in used:
            columns = [used[one] for one in fields if one in used]
            prefix = {} if count_of is None else {"prefix": f"{count_of}/"}
            return columns[0] if len(columns) == 1 and not prefix else {"join": columns, **prefix}
    return {"join": list(used.values())}


def _known_at(kind: str, used: Mapping[str, str], by_name: Mapping[str, Profile]) -> Fields:
    field = _KNOWN_WITH.get(kind)
    if field is None or field not in used:
        return {"now": True}
    known: Fields = {"column": used[field], "at_latest_now": True}
    if kind == "usage" and by_name[used[field]].type == "date":
        known["at"] = "end_of_day"
    return known
