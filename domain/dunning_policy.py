"""How unpaid invoices are collected: when a card is tried, when we write, and what happens at the end."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.billing import FinalAction
from domain.calendar import Weekday, Window
from domain.errors import EverstayError, InvalidInputError

Days = Annotated[int, Field(ge=0, le=365)]
Amounts = dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Annotated[int, Field(ge=0)]]
"""Minor units by currency; a currency that is not named has no limit."""
EVERY_DAY: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MORNING = Window(weekdays=EVERY_DAY, opens="07:00", closes="11:00")


class StoredDunningPolicyError(EverstayError):
    """The stored dunning policy is of no use: {reason}. PUT a whole one to /api/policies/dunning."""


class Strict(BaseModel):
    """A part of the policy: a name that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ceiling(Strict):
    """How often one card of a network may be charged in a rolling span, whatever the invoices are."""

    brand: str = Field(pattern=r"^[a-z_]{1,32}$")
    attempts: int = Field(ge=0, le=100)
    hours: int = Field(ge=1, le=8760)

    @property
    def span(self) -> dt.timedelta:
        """The rolling span."""
        return dt.timedelta(hours=self.hours)


NETWORKS = (
    Ceiling(brand="visa", attempts=20, hours=720),
    Ceiling(brand="mastercard", attempts=10, hours=24),
    Ceiling(brand="mastercard", attempts=35, hours=720),
)
"""What the networks charge fees above, in rolling hours."""


class Paydays(Strict):
    """Days on which there is money on an account: an attempt that is near one waits for it."""

    month_days: tuple[Annotated[int, Field(ge=1, le=31)], ...] = (1, 15)
    last_working_day: bool = True
    weekdays: tuple[Weekday, ...] = ("fri",)
    wait_days: int = Field(1, ge=0, le=7)
    """How long an attempt waits for one at most."""


class RetrySchedule(Strict):
    """When a card is tried again: spread over the days, on mornings where the customer is."""

    attempts: int = Field(8, ge=0, le=30)
    within_days: int = Field(14, ge=1, le=60)
    slow_attempts: int = Field(3, ge=0, le=30)
    """Attempts where nothing speaks for a better answer soon."""
    least_hours: int = Field(20, ge=1, le=336)
    """Between two attempts."""
    hours: Window = MORNING
    public_holidays: bool = True
    """Banks rest on those of the customer's country."""
    paydays: Paydays = Paydays()
    ceilings: tuple[Ceiling, ...] = Field(NETWORKS, max_length=20)


class Notices(Strict):
    """When we write about a failed charge. Days count from when the case was opened, or a part was paid."""

    after_days: tuple[Days, ...] = Field((1, 5, 11), max_length=20)
    gentle_below: float = Field(0.25, ge=0, le=1)
    """Share of the whole time below which we are gentle."""
    firm_above: float = Field(0.5, ge=0, le=1)
    least_hours: int = Field(48, ge=1, le=720)
    per_week: int = Field(2, ge=1, le=7)

    @property
    def least_gap(self) -> dt.timedelta:
        """Between two notices."""
        return dt.timedelta(hours=self.least_hours)


class Transfers(Strict):
    """Invoices that the customer pays by transfer. Days count from the due date."""

    before_days: tuple[Days, ...] = Field((3,), max_length=10)
    after_days: tuple[Days, ...] = Field((1, 8, 15), max_length=20)
    task_after_days: Days = 10
    """When a person is asked to call."""
    within_days: int = Field(30, ge=1, le=365)
    """How long it is waited for before the grace days."""


class DunningPolicy(Strict):
    """The editable document behind every case of an unpaid invoice. Minor units, days, hours."""

    retries: RetrySchedule = RetrySchedule()
    notices: Notices = Notices()
    transfers: Transfers = Transfers()
    grace_days: Days = 7
    """Between the final notice and the final action."""
    final_action: FinalAction = FinalAction.KEEP
    write_off_below: Amounts = {}
    """What is not worth the trouble: it is written off at the end."""
    escalate_from: Amounts = {}
    """From here on a person decides at the end, and nothing is done to the subscription by itself."""

    @model_validator(mode="after")
    def _tones_follow_each_other(self) -> Self:
        if self.notices.gentle_below > self.notices.firm_above:
            raise ValueError("notices: gentle_below lies above firm_above; make it the smaller one")
        return self

    @model_validator(mode="after")
    def _limits_do_not_cross(self) -> Self:
        crossed = [
            currency
            for currency, least in self.escalate_from.items()
            if least < self.write_off_below.get(currency, 0)
        ]
        if crossed:
            message = f"escalate_from lies below write_off_below for {', '.join(sorted(crossed))}"
            raise ValueError(message)
        return self

    @property
    def remind_before(self) -> dt.timedelta:
        """How long before the due date of a transfer the first reminder goes out."""
        return dt.timedelta(days=max(self.transfers.before_days, default=0))

    @property
    def grace(self) -> dt.timedelta:
        """Between the final notice and the final action."""
        return dt.timedelta(days=self.grace_days)


def read_dunning_policy(document: Mapping[str, Any]) -> DunningPolicy:
    """Return the policy that a document describes; raises InvalidInputError naming the value and the fix."""
    try:
        return DunningPolicy.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the policy"
        raise InvalidInputError(field=where, reason=first["msg"].removeprefix("Value error, ")) from None


def stored_dunning_policy(document: object) -> DunningPolicy:
    """Return a policy as it was once stored; what it lacks is as by default.

    Raises StoredDunningPolicyError for a document that no version of ours has written.
    """
    if document is None:
        return DunningPolicy()
    if not isinstance(document, Mapping):
        raise StoredDunningPolicyError(reason="it is no mapping of names to values")
    try:
        return read_dunning_policy(document)
    except InvalidInputError as error:
        raise StoredDunningPolicyError(reason=str(error).rstrip(".")) from None
