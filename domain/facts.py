"""The facts that data sources tell. One shape for imports, webhooks, pulls and the sample portfolio.

`key` is the source's own id of the fact: the same key with the same content is a duplicate, with other
content a conflict. `customer` and `contact` are the source's own ids too. `known_at` is when we could have
known the fact (receipt for live facts, declared by the mapping for history).
"""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.time import BusinessInstant
from domain.vocabulary import Channel, ContactRole, Direction, Purpose


class FactBase(BaseModel):
    """What every fact carries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=1)
    known_at: BusinessInstant
    fingerprint: str | None = None
    """Hash of what the source said beyond these fields, so that other content under one key is noticed."""


class CustomerFact(FactBase):
    """A paying company. `key` is its id; empty fields are unknown and filled by defaults or derived."""

    type: Literal["customer"] = "customer"
    name: str = Field(min_length=1)
    domain: str | None = None
    industry: str | None = None
    country: str | None = None
    time_zone: str | None = None
    employees: int | None = Field(None, ge=0)
    plan: str | None = None
    status: Literal["trial", "active", "churned"] | None = None
    started_at: BusinessInstant | None = None
    onboarded_at: BusinessInstant | None = None
    first_value_at: BusinessInstant | None = None
    renewal_on: dt.date | None = None
    arr_minor: int | None = Field(None, ge=0)
    currency: str | None = Field(None, min_length=3, max_length=3)
    csm_email: str | None = None
    sales_owner_email: str | None = None


class ContactFact(FactBase):
    """A person at a customer."""

    type: Literal["contact"] = "contact"
    customer: str
    name: str
    email: str | None = None
    roles: tuple[ContactRole, ...] = (ContactRole.END_USER,)
    department: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    since: BusinessInstant
    left_at: BusinessInstant | None = None
    consents: tuple[Purpose, ...] | None = None
    """All that the source knows them to agree to; None where it says nothing of consent."""


class SubscriptionFact(FactBase):
    """One term of one product. An end is told by `ended_at` with its own `ended_known_at`."""

    type: Literal["subscription"] = "subscription"
    customer: str
    product: str
    plan: str | None = None
    status: Literal["trialing", "active", "past_due", "unpaid", "canceled"] = "active"
    mrr_minor: int = Field(ge=0)
    currency: str = Field("USD", min_length=3, max_length=3)
    seats: int | None = Field(None, ge=0)
    is_trial: bool = False
    auto_renew: bool | None = None
    discount: float | None = Field(None, ge=0, le=1)
    billing_months: int | None = Field(None, ge=1)
    started_at: BusinessInstant
    ended_at: BusinessInstant | None = None
    ended_known_at: BusinessInstant | None = None


class UsageFact(FactBase):
    """`quantity` uses of a feature, by `users` people, worth `value` in the feature's own unit."""

    type: Literal["usage"] = "usage"
    customer: str
    contact: str | None = None
    feature: str = Field(min_length=1)
    quantity: float = Field(1, ge=0)
    users: int | None = Field(None, ge=0)
    value: float | None = None
    occurred_at: BusinessInstant
    properties: dict[str, Any] | None = None


class TicketFact(FactBase):
    """A support request. What is filled in later (resolution, satisfaction) has its own known_at."""

    type: Literal["ticket"] = "ticket"
    customer: str
    contact: str | None = None
    subject: str | None = None
    priority: Literal["low", "medium", "high", "urgent"] = "medium"
    opened_at: BusinessInstant
    first_response_due_at: BusinessInstant | None = None
    first_responded_at: BusinessInstant | None = None
    resolve_due_at: BusinessInstant | None = None
    resolved_at: BusinessInstant | None = None
    resolved_known_at: BusinessInstant | None = None
    reopened: int = Field(0, ge=0)
    escalated: bool = False
    satisfaction: float | None = Field(None, ge=1, le=5)
    satisfaction_known_at: BusinessInstant | None = None
    sentiment: float | None = Field(None, ge=-1, le=1)
    sentiment_by: str | None = None
    """Which model read it from the text; empty where the source told it."""


class SurveyFact(FactBase):
    """An answer: NPS 0 to 10 or CSAT 1 to 5."""

    type: Literal["survey"] = "survey"
    customer: str
    contact: str | None = None
    kind: Literal["nps", "csat"] = "nps"
    score: float = Field(ge=0, le=10)
    comment: str | None = None
    responded_at: BusinessInstant


class MeetingFact(FactBase):
    """A meeting, its invitation's answer and whether it was held."""

    type: Literal["meeting"] = "meeting"
    customer: str
    kind: Literal["qbr", "executive", "check_in", "other"] = "check_in"
    title: str
    scheduled_at: BusinessInstant
    answer: Literal["accepted", "declined", "tentative"] | None = None
    answered_at: BusinessInstant | None = None
    held_at: BusinessInstant | None = None
    cancelled_at: BusinessInstant | None = None


class GoalFact(FactBase):
    """What the customer wants to reach with the product; progress from 0 to 1."""

    type: Literal["goal"] = "goal"
    customer: str
    title: str
    metric: str | None = None
    target: float | None = None
    due_on: dt.date | None = None
    progress: float = Field(0, ge=0)
    achieved_at: BusinessInstant | None = None


class InvoiceFact(FactBase):
    """An invoice and what was paid of it."""

    type: Literal["invoice"] = "invoice"
    customer: str
    number: str | None = None
    currency: str = Field("USD", min_length=3, max_length=3)
    amount_due_minor: int = Field(ge=0)
    amount_paid_minor: int = Field(0, ge=0)
    status: Literal["open", "paid", "void", "uncollectible"] = "open"
    issued_at: BusinessInstant
    due_at: BusinessInstant
    failed_attempts: int = Field(0, ge=0)
    paid_at: BusinessInstant | None = None
    paid_known_at: BusinessInstant | None = None


class TouchpointFact(FactBase):
    """A contact with a person that happened outside Everstay (call, meeting, e-mail, note, chat)."""

    type: Literal["touchpoint"] = "touchpoint"
    customer: str
    contact: str | None = None
    direction: Direction
    channel: Channel
    purpose: Purpose = Purpose.LIFECYCLE
    subject: str | None = None
    user_email: str | None = None
    occurred_at: BusinessInstant


class CancellationFact(FactBase):
    """The customer left, or came back after leaving (`reactivated`)."""

    type: Literal["cancellation"] = "cancellation"
    customer: str
    occurred_at: BusinessInstant
    reason: str = "other"
    comment: str | None = None
    involuntary: bool = False
    reactivated: bool = False


Fact = Annotated[
    CustomerFact
    | ContactFact
    | SubscriptionFact
    | UsageFact
    | TicketFact
    | SurveyFact
    | MeetingFact
    | GoalFact
    | InvoiceFact
    | TouchpointFact
    | CancellationFact,
    Field(discriminator="type"),
]
"""Any fact, told apart by `type`."""
