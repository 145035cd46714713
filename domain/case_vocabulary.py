"""The words of cases, payments and offers; docs/glossary.md explains them."""

from enum import StrEnum


class CaseKind(StrEnum):
    """What a case is about: an invoice that is not paid, or a customer that has left."""

    DUNNING = "dunning"
    WIN_BACK = "win_back"


class CaseState(StrEnum):
    """A case that is held listens and does nothing; one that has ended has an outcome."""

    OPEN = "open"
    HELD = "held"
    ENDED = "ended"


class CaseOutcome(StrEnum):
    """How a case ended; a label for training."""

    RECOVERED = "recovered"
    EXHAUSTED = "exhausted"
    WRITTEN_OFF = "written_off"
    ESCALATED = "escalated"
    REACTIVATED = "reactivated"
    LOST = "lost"
    STOPPED = "stopped"


class PaidBy(StrEnum):
    """Who made an attempt to pay: we, the provider by itself, or the customer."""

    EVERSTAY = "everstay"
    PROVIDER = "provider"
    CUSTOMER = "customer"


class AttemptResult(StrEnum):
    """What one attempt to collect came to."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    UNCERTAIN = "uncertain"
    NOT_MADE = "not_made"


class OfferState(StrEnum):
    """Life of something that costs us."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    REFUSED = "refused"
    EXPIRED = "expired"
    REDEEMED = "redeemed"
    """The customer has used it: only now it costs us."""
    WITHDRAWN = "withdrawn"
