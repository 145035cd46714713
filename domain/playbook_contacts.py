"""The steps of a playbook that reach the customer's people: mail, prompt, meeting, offer."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from domain.documents import Document, Text
from domain.durations import Duration
from domain.vocabulary import ContactRole, Purpose


class Person(Document):
    """Somebody by what they do: of a role, away for a while, or with a feature in use."""

    role: ContactRole | None = None
    inactive_for: Duration | None = None
    used: str | None = None
    never_used: str | None = None
    within: Duration = timedelta(days=90)
    """How far back `used` and `never_used` look."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any((self.role, self.inactive_for, self.used, self.never_used)):
            raise ValueError("a person is named by role, inactive_for, used or never_used")
        return self


class ToPeople(Document):
    """Whom a contact step means: the first reachable of these, in this order, and at most so many."""

    to: tuple[ContactRole | Person, ...] = Field(min_length=1)
    at_most: int = Field(1, ge=1, le=10)
    """So many people of this customer, one after the other as the contact budget allows."""
    otherwise: Literal["task", "skip"] = "task"
    """Where nobody of them can be reached: a task for the owner, or on to the next step."""
    useful_for: Duration | None = None
    """After so long put off it is dropped instead: an invitation to yesterday's webinar helps nobody."""


class SendEmail(ToPeople):
    """One message to each."""

    template: str
    purpose: Purpose = Purpose.LIFECYCLE


class InAppPrompt(ToPeople):
    """A message inside the product, shown to the person when they are there, until it expires."""

    title: Text
    body: Text
    link: str | None = Field(None, pattern=r"^(https://|/)")
    expires: Duration = timedelta(days=14)


class ScheduleMeeting(ToPeople):
    """A meeting is written down, an invitation goes out, and the run waits for the answer."""

    title: Text
    kind: Literal["qbr", "check_in", "executive", "onboarding"] = "check_in"
    organiser: Literal["csm", "manager", "sales"] = "csm"
    ahead: Duration = timedelta(days=7)
    """The first office hour of the customer at least so far away."""
    minutes: int = Field(30, ge=10, le=240)
    template: str = "meeting-invitation"
    purpose: Purpose = Purpose.LIFECYCLE
    timeout: Duration = timedelta(days=7)
    on_accepted: str | None = None
    on_declined: str | None = None
    on_timeout: str | None = None


class Offer(Document):
    """Something that costs us: a person grants it, or it lapses at its deadline."""

    kind: Literal["discount", "free_months", "credit", "upgrade"]
    percent: float | None = Field(None, gt=0, le=50)
    months: int | None = Field(None, ge=1, le=24)
    title: Text
    body: Text
    approver: Literal["csm", "manager", "sales"] = "manager"
    least_expected_loss: float = Field(0, ge=0)
    """Proposed only where churn probability times ARR (whole units) is at least this."""
    decide_in: Duration = timedelta(days=2)
    on_granted: str | None = None
    on_refused: str | None = None

    @model_validator(mode="after")
    def _has_its_size(self) -> Self:
        if self.kind in {"discount", "credit"} and self.percent is None:
            message = f"a {self.kind} says how large it is: percent"
            raise ValueError(message)
        if self.kind == "free_months" and self.months is None:
            raise ValueError("free_months says how many: months")
        return self
