"""Cases and offers on the wire. Fields may be added, never renamed. Money: minor units and currency."""

import datetime as dt
import uuid
from typing import Any

from api.resources.shapes import Decision, Shape
from domain.billing import Collection, FinalAction
from domain.case_vocabulary import AttemptResult, CaseKind, CaseOutcome, CaseState, OfferState, PaidBy
from domain.labels import Cause
from domain.vocabulary import StepState, TouchpointState


class Case(Shape):
    """One thing that has to come to an end: an invoice that is not paid, or a customer that has left."""

    id: uuid.UUID
    kind: CaseKind
    customer_id: uuid.UUID
    subject: str
    state: CaseState
    stage: str
    held_reason: str | None
    next_action: str | None
    expected_wake_at: dt.datetime | None
    opened_at: dt.datetime
    ended_at: dt.datetime | None
    outcome: CaseOutcome | None
    outcome_reason: str | None


class Dunning(Shape):
    """What a case of an unpaid invoice has beside the others. `remaining_minor` is still owed."""

    invoice_id: uuid.UUID
    source_id: str
    collection: Collection
    currency: str
    opened_minor: int
    remaining_minor: int
    recovered_minor: int
    decline_code: str | None
    decline_advice: str | None
    final_action: FinalAction
    recovered_by: PaidBy | None


class WinBack(Shape):
    """What a case of a customer that has left has beside the others. Revenue is ARR."""

    number: int
    cause: Cause
    cancelled_at: dt.datetime
    reason: str | None
    lost_arr_minor: int
    currency: str
    is_held_out: bool
    returned_at: dt.datetime | None
    returned_arr_minor: int | None
    is_attributed: bool | None


class CaseStep(Shape):
    """One visit of one letter or deed of a case."""

    step: str
    occurrence: int
    kind: str
    state: StepState
    reason: str | None
    due_at: dt.datetime | None
    started_at: dt.datetime
    finished_at: dt.datetime | None


class PaymentAttempt(Shape):
    """One attempt to collect the invoice, whoever made it."""

    number: int
    by: PaidBy
    card_brand: str
    amount_minor: int
    currency: str
    result: AttemptResult
    decline_code: str | None
    advice_code: str | None
    made_at: dt.datetime


class CaseLetter(Shape):
    """One letter that left for a case."""

    id: uuid.UUID
    contact_id: uuid.UUID | None
    template: str | None
    state: TouchpointState
    occurred_at: dt.datetime


class CaseDetail(Case):
    """A case with all that was done for it, each list in the order in which it happened."""

    dunning: Dunning | None
    win_back: WinBack | None
    steps: list[CaseStep]
    attempts: list[PaymentAttempt]
    letters: list[CaseLetter]
    decisions: list[Decision]


class Offer(Shape):
    """Something that costs us. `margin` is the share of what they pay that is left; the code is not shown."""

    id: uuid.UUID
    customer_id: uuid.UUID
    intervention_id: uuid.UUID | None
    case_id: uuid.UUID | None
    kind: str
    title: str
    percent: float | None
    months: int | None
    currency: str | None
    cost_minor: int | None
    margin: float | None
    evidence: dict[str, Any]
    state: OfferState
    proposed_at: dt.datetime
    decided_at: dt.datetime | None
    decided_by_id: uuid.UUID | None
    expires_at: dt.datetime | None
    redeemed_at: dt.datetime | None
