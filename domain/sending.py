"""How much mail a sender domain may send: caps, a share that stays for what must go, and a warm-up.

A mail provider and the mailboxes behind it judge a domain by what it sent lately.
"""

import datetime as dt
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.errors import EverstayError, InvalidInputError
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import Purpose

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LIMIT_RETRY = HOUR
"""Until a message is asked again that waits because the policy itself can't be read."""
SENDING_LIMIT = "sending_limit"
"""The reason of every deferral that these rules make."""
Cap = Annotated[int, Field(ge=1, le=10_000_000)]
Rate = Annotated[float, Field(gt=0, le=1)]


def _domain(name: str) -> str:
    if "." not in name or "@" in name or name != name.strip().lower():
        message = f"{name!r} is no domain in lower case, such as mail.example.com"
        raise ValueError(message)
    return name


Domain = Annotated[str, AfterValidator(_domain)]


class StoredSendingPolicyError(EverstayError):
    """The stored sending policy is of no use: {reason}. PUT a whole one to /api/policies/sending."""


class WarmUp(BaseModel):
    """A new domain's first weeks: so many messages on the first day, and so many times more each day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    started_on: dt.date
    start_per_day: Cap = 50
    growth: float = Field(1.5, gt=1, le=4)


class DomainLimits(BaseModel):
    """Caps of one sender domain in messages, by the hour and the day of UTC; a warm-up grows to the day's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_hour: Cap | None = None
    per_day: Cap | None = None
    warm_up: WarmUp | None = None

    @model_validator(mode="after")
    def _grows_to_something(self) -> Self:
        if self.warm_up is not None and self.per_day is None:
            message = "a warm-up grows to per_day: name it"
            raise ValueError(message)
        return self


class SendingPolicy(BaseModel):
    """The editable document behind the limiter. A domain not named has `others`; without it, no cap."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domains: dict[Domain, DomainLimits] = {}
    others: DomainLimits | None = None
    transactional_share: float = Field(0.2, ge=0, lt=1)
    """Of each cap, what optional mail leaves free. Transactional mail passes in any case, and counts."""
    most_bounces: Rate = 0.02
    most_complaints: Rate = 0.001
    """Shares of what was sent in `judged_days`. Above either the warm-up falls back; above half, it rests."""
    judged_days: int = Field(7, ge=1, le=60)
    judged_from: int = Field(50, ge=1, le=100_000)
    """Messages below which no share is judged."""

    def limits_of(self, domain: str) -> DomainLimits | None:
        """Return the caps of a domain, None where it has none."""
        return self.domains.get(domain, self.others)


def for_optional(cap: int | None, policy: SendingPolicy) -> int | None:
    """Return the part of a cap that optional mail may use: at least one message, or it would never leave."""
    return None if cap is None else max(1, int(cap * (1 - policy.transactional_share)))


def is_limited(purpose: Purpose) -> bool:
    """Whether mail of this purpose waits for the caps; what must be said passes."""
    return purpose is not Purpose.TRANSACTIONAL


def hour_of(instant: BusinessInstant) -> BusinessInstant:
    """Return the beginning of the instant's hour."""
    return BusinessInstant(instant.replace(minute=0, second=0, microsecond=0))


def day_of(instant: BusinessInstant) -> BusinessInstant:
    """Return the beginning of the instant's day in UTC."""
    return start_of_day(instant.date())


def domain_of(address: str) -> str:
    """Return the domain of a sender's address in lower case."""
    return address.rpartition("@")[2].lower()


def stored_sending_policy(document: object) -> SendingPolicy:
    """Return a policy as it was stored; raises StoredSendingPolicyError for one that nobody can read.

    Nothing is guessed: a limit that is misread is a limit that does not hold.
    """
    try:
        return SendingPolicy() if document is None else SendingPolicy.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the policy"
        problem = InvalidInputError(field=where, reason=first["msg"].removeprefix("Value error, "))
        raise StoredSendingPolicyError(reason=str(problem).rstrip(".")) from None
