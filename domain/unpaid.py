"""Which unpaid invoices call for a case of their own, and when the next one will."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.money import say_money
from domain.time import BusinessInstant, after
from domain.wording import count

A_TERM = timedelta(days=1)
"""An invoice that is due so much later than it was issued is one with a term: it is paid by transfer."""


@dataclass(frozen=True)
class UnpaidInvoice:
    """An open invoice of a connection that we can collect through, and that has no case."""

    id: UUID
    issued_at: BusinessInstant
    due_at: BusinessInstant
    failed_attempts: int
    remaining_minor: int
    currency: str

    @property
    def has_term(self) -> bool:
        """Whether the customer is to transfer the money until a date."""
        return has_term(self.issued_at, self.due_at)

    def opens_at(self, lead: timedelta) -> BusinessInstant:
        """Return from when on it needs care: at once after a refusal, else about its due date."""
        if self.failed_attempts > 0:
            return self.issued_at
        return after(self.due_at, -lead if self.has_term else A_TERM)

    @property
    def sentence(self) -> str:
        """Why a case is opened."""
        amount = say_money(self.remaining_minor, self.currency)
        if self.failed_attempts > 0:
            return f"A charge of {amount} was refused ({count(self.failed_attempts, 'attempt')})."
        return f"An invoice over {amount} is due on {self.due_at:%d %B %Y} and not paid."


def has_term(issued_at: BusinessInstant, due_at: BusinessInstant) -> bool:
    """Tell an invoice with a date to transfer by from one that is charged as it is issued."""
    return due_at - issued_at >= A_TERM
