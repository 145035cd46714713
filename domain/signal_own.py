"""Signals that a tenant declares: a condition over the declared fields, with its wording."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from domain import condition_check
from domain.conditions import Condition, fields_in
from domain.errors import InvalidInputError
from domain.field_shape import Place
from domain.signal_fields import needs_of, values_of
from domain.signal_readings import Ending, Level, Reading, Sight, SignalSpec, same_for_all
from domain.vocabulary import Severity, SignalKind

QUIET_DAYS = 3
"""A signal ends when its condition was false for so many days: one good day is no recovery."""
KEY = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")


@dataclass(frozen=True)
class OwnSignal:
    """One declared signal, its condition read."""

    key: str
    title: str
    condition: Condition
    severity: Severity = Severity.MEDIUM
    enabled: bool = True

    @property
    def dedupe_key(self) -> str:
        """The key under which it is open for a customer."""
        return f"own:{self.key}"


class OwnSignalDocument(BaseModel):
    """The same as people write it: in a form, over the API."""

    model_config = ConfigDict(extra="forbid")

    key: str
    title: str
    condition: dict[str, Any]
    severity: Severity = Severity.MEDIUM
    enabled: bool = True

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, key: str) -> str:
        if not KEY.fullmatch(key):
            raise ValueError("3 to 40 small letters, digits and hyphens, such as quiet-champion")
        return key

    @field_validator("title")
    @classmethod
    def _has_words(cls, title: str) -> str:
        words = " ".join(title.split())
        if not words or len(words) > 120:  # noqa: PLR2004 - a line of the inbox
            raise ValueError("1 to 120 characters, as people will read it")
        return words

    def read(self) -> OwnSignal:
        """Return the signal, or raise InvalidInputError with the path of what is wrong in its condition."""
        return OwnSignal(self.key, self.title, read_condition(self.condition), self.severity, self.enabled)


def read_document(document: Mapping[str, Any]) -> OwnSignalDocument:
    """Return what somebody wrote, or raise InvalidInputError naming the field and what is wrong."""
    try:
        return OwnSignalDocument.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise InvalidInputError(field=str(first["loc"][0]), reason=reason) from None


def read_condition(document: Mapping[str, Any]) -> Condition:
    """Return the condition that a document describes, or raise InvalidInputError naming path and fix."""
    return condition_check.read_condition(document, Place.SIGNAL)


def spec_of(own: OwnSignal) -> SignalSpec:
    """Return a declared signal as a line of the catalogue."""
    needs = needs_of(fields_in(own.condition))
    return SignalSpec(
        SignalKind.OWN,
        needs,
        own.title,
        "condition",
        same_for_all(1, 0, 1),
        _detector(own),
        key=own.dedupe_key,
    )


def _detector(own: OwnSignal) -> Any:
    def detect(sight: Sight) -> list[Reading]:
        """Tell whether the condition holds, or when it last did."""
        values = values_of(sight.features, sight.whole)
        holds = own.condition.holds(values)
        before = sight.opened.get(own.dedupe_key)
        if not holds and before is None:
            return []
        last = sight.today if holds else dt.date.fromisoformat(str((before or {})["held_on"]))
        quiet = (sight.today - last).days >= QUIET_DAYS
        level = Level.OPEN if holds else Level.CLEAR if quiet else Level.HOLD
        seen = {name: values.get(name) for name in sorted(fields_in(own.condition))}
        evidence = {"held_on": last.isoformat(), "values": seen}
        return [
            Reading(own.dedupe_key, level, own.severity, own.title, evidence, sight.today, Ending.RECOVERED)
        ]

    return detect
