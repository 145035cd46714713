"""How often and when we speak with customers: longest silence per touch tier, caps, hours, days off."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.calendar import OFFICE_HOURS, Window
from domain.contact_slots import ContactBudget, Limits
from domain.errors import EverstayError, InvalidInputError
from domain.vocabulary import Motion, TouchTier

MARKETING = "marketing"
"""The topic of campaigns; every other message is about its playbook's motion."""
Topic = Motion | Literal["marketing"]
Count = Annotated[int, Field(ge=0, le=100)]
LONGEST_SILENCE_DAYS = {TouchTier.STRATEGIC: 21, TouchTier.MANAGED: 30, TouchTier.TECH_TOUCH: 45}


class StoredPolicyError(EverstayError):
    """The stored contact policy is of no use: {reason}. PUT a whole one to /api/policies/contact."""


class ContactPolicy(BaseModel):
    """The editable document behind silence deadlines and the contact budget. Days and counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    longest_silence_days: dict[TouchTier, Annotated[int, Field(ge=1, le=3650)]] = LONGEST_SILENCE_DAYS
    emails_per_day: Count = 1
    emails_per_week: Count = 3
    emails_per_person_per_day: Count = 1
    emails_per_person_per_week: Count = 3
    prompts_per_person_per_day: Count = 1
    prompts_per_person_per_week: Count = 5
    topics_per_week: dict[Topic, Count] = {}
    """Messages of one motion, or of marketing, in any seven days; what is not named has no cap of its own."""
    longest_deferral_days: int = Field(7, ge=1, le=60)
    hours: tuple[Window, ...] = Field((OFFICE_HOURS,), min_length=1, max_length=14)
    """Optional e-mail goes out within one of these, on the recipient's clock; all the rest is quiet."""
    public_holidays: bool = True
    """Those of the country where the recipient is are days off."""
    days_off: tuple[dt.date, ...] = Field((), max_length=1000)
    """On these we write to nobody."""

    @model_validator(mode="after")
    def _names_every_touch_tier(self) -> Self:
        missing = [tier.value for tier in TouchTier if tier not in self.longest_silence_days]
        if missing:
            message = f"the longest silence of {', '.join(missing)} is missing"
            raise ValueError(message)
        return self

    @property
    def budget(self) -> ContactBudget:
        """The same as the guard reads it."""
        return ContactBudget(
            per_day=self.emails_per_day,
            per_week=self.emails_per_week,
            person=Limits(self.emails_per_person_per_day, self.emails_per_person_per_week),
            prompts=Limits(self.prompts_per_person_per_day, self.prompts_per_person_per_week),
            topics_per_week={str(topic): most for topic, most in self.topics_per_week.items()},
            longest_deferral=dt.timedelta(days=self.longest_deferral_days),
            hours=self.hours,
        )


def read_contact_policy(document: dict[str, Any]) -> ContactPolicy:
    """Return the policy that a document describes; raises InvalidInputError naming the value and the fix."""
    try:
        return ContactPolicy.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the policy"
        raise InvalidInputError(field=where, reason=first["msg"].removeprefix("Value error, ")) from None


def stored_contact_policy(document: object) -> ContactPolicy:
    """Return a policy as it was once stored: what it lacks is as by default, what is gone since is left out.

    Raises StoredPolicyError for a document that no version of ours has written.
    """
    if document is None:
        return ContactPolicy()
    if not isinstance(document, Mapping):
        raise StoredPolicyError(reason="it is no mapping of names to values")
    known = {name: value for name, value in document.items() if name in ContactPolicy.model_fields}
    silence = known.get("longest_silence_days", {})
    if isinstance(silence, Mapping):
        known["longest_silence_days"] = {**LONGEST_SILENCE_DAYS, **silence}
    try:
        return read_contact_policy(known)
    except InvalidInputError as error:
        raise StoredPolicyError(reason=str(error).rstrip(".")) from None
