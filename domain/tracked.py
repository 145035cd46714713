"""What messages of tracking clients say of people and companies: pure readings, total over any JSON.

`identify` and `group` carry traits; `alias` carries the new id as user and the former one as anonymous id.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from domain.time import BusinessInstant

USER, ANONYMOUS, GROUP = "user", "anonymous", "group"
"""Kinds of key that a source has."""
NAME_LENGTH = 200
_DOMAIN = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FREE_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com"),
        *("me.com", "aol.com", "gmx.net", "gmx.de", "web.de", "proton.me", "protonmail.com", "mail.com"),
        *("qq.com", "163.com", "yandex.ru"),
    }
)

Traits = Mapping[str, Any]


@dataclass(frozen=True)
class IdentityCall:
    """One identify, group or alias message."""

    source_id: str
    kind: str
    user_key: str | None
    anonymous_key: str | None
    group_key: str | None
    occurred_at: BusinessInstant
    traits: Traits


@dataclass
class KeyTold:
    """What some calls said of one key, the newest word for each trait."""

    source_id: str
    kind: str
    key: str
    told_at: BusinessInstant
    traits: dict[str, Any] = field(default_factory=dict)
    group_key: str | None = None
    stands_for: str | None = None


def fold(calls: Iterable[IdentityCall]) -> list[KeyTold]:
    """Return what the calls say of each key, in whatever order they came."""
    told: dict[tuple[str, str, str], KeyTold] = {}
    for call in sorted(calls, key=lambda one: one.occurred_at):
        for said in _said(call):
            known = told.setdefault((said.source_id, said.kind, said.key), said)
            if known is not said:
                _move(known, said)
    return list(told.values())


def _move(known: KeyTold, later: KeyTold) -> None:
    known.traits |= later.traits
    known.group_key = later.group_key or known.group_key
    known.stands_for = later.stands_for or known.stands_for
    known.told_at = later.told_at


def _said(call: IdentityCall) -> Iterable[KeyTold]:
    def of(kind: str, key: str, **said: Any) -> KeyTold:
        return KeyTold(call.source_id, kind, key, call.occurred_at, **said)

    user, visitor, group = call.user_key, call.anonymous_key, call.group_key
    traits = {str(name): value for name, value in call.traits.items() if value is not None}
    if call.kind == "alias":
        if user and visitor and user != visitor:
            yield of(USER, user)
            yield of(ANONYMOUS, visitor, stands_for=user)
            yield of(USER, visitor, stands_for=user)
        return
    is_group = call.kind == "group"
    if group:
        yield of(GROUP, group, traits=traits if is_group else {})
    mine = {} if is_group else traits
    if user:
        yield of(USER, user, traits=mine, group_key=group)
    if visitor and user != visitor:
        yield of(ANONYMOUS, visitor, traits={} if user else mine, group_key=group, stands_for=user)


def email_of(traits: Traits) -> str | None:
    """Return the e-mail address among some traits."""
    value = _text(traits, "email", "$email", "email_address")
    return value.lower() if value and _MAIL.fullmatch(value) else None


def person_name(traits: Traits, key: str) -> str | None:
    """Return what to call a user, None while nothing is said of it: a bare id is nobody to talk to."""
    whole = _text(traits, "name", "$name", "full_name", "fullName", "display_name")
    first = _text(traits, "firstName", "first_name", "$first_name")
    last = _text(traits, "lastName", "last_name", "$last_name")
    parts = " ".join(part for part in (first, last) if part)
    return whole or parts or email_of(traits) or _text(traits, "username", "login") or _named(key)


def _named(key: str) -> str | None:
    return key if _MAIL.fullmatch(key) else None


def department_of(traits: Traits) -> str | None:
    """Return where in the company a user works."""
    return _text(traits, "department", "team")


def time_zone_of(traits: Traits) -> str | None:
    """Return a time zone that is one."""
    zone = _text(traits, "timezone", "time_zone", "timeZone")
    return zone if zone in available_timezones() else None


def company_name(traits: Traits, key: str) -> str:
    """Return what to call a group."""
    return _text(traits, "name", "company", "company_name", "companyName") or key[:NAME_LENGTH]


def company_domain(traits: Traits) -> str | None:
    """Return the domain of a group: that of its site, or of its e-mail unless anybody may have one there."""
    for name in ("domain", "website", "url", "email"):
        bare = re.sub(r"^(https?://)?(www\.)?", "", (_text(traits, name) or "").lower()).split("/", 1)[0]
        domain = bare.rsplit("@", 1)[-1].split(":", 1)[0]
        if _DOMAIN.fullmatch(domain) and domain not in _FREE_MAIL:
            return domain
    return None


def employees_of(traits: Traits) -> int | None:
    """Return how many people work there."""
    for name in ("employees", "employee_count", "employeeCount", "company_size", "size"):
        value = traits.get(name)
        text = str(value).replace(",", "") if value is not None and not isinstance(value, bool) else ""
        if text.isdigit() and len(text) < 9:  # noqa: PLR2004 - more people than there are
            return int(text)
    return None


def word_of(traits: Traits, *names: str) -> str | None:
    """Return the first of some traits that is a text."""
    return _text(traits, *names)


def _text(traits: Traits, *names: str) -> str | None:
    for name in names:
        value = traits.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:NAME_LENGTH]
    return None


def shapes(samples: Iterable[Traits]) -> dict[str, dict[str, Any]]:
    """Return per property the JSON types seen, and an example where that can name nobody."""
    found: dict[str, dict[str, Any]] = {}
    for sample in samples:
        for name, value in sample.items():
            shape = found.setdefault(str(name)[:NAME_LENGTH], {"types": []})
            kind = _json_type(value)
            if kind not in shape["types"]:
                shape["types"] = sorted([*shape["types"], kind])
            if kind in {"number", "boolean"} and "example" not in shape:
                shape["example"] = value
    return found


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
