"""What may be given away to win a customer back: a ladder, and the limits that no rung passes."""

from fractions import Fraction
from typing import Self

from pydantic import Field, model_validator

from domain.documents import Document
from domain.vocabulary import CancellationReason


class Rung(Document):
    """One discount, and for whom it is. Money in whole units of the customer's own currency."""

    percent: float = Field(gt=0, le=100)
    months: int = Field(ge=1, le=36)
    """How long it lasts."""
    least_arr: int = Field(0, ge=0)
    least_tenure_months: int = Field(0, ge=0, le=600)
    reasons: tuple[CancellationReason, ...] = ()
    """Why they left; empty means whatever it was."""
    after: int = Field(0, ge=0, le=20)
    """So many offers of this departure were left unused before."""


LADDER = (
    Rung(percent=10, months=3),
    Rung(percent=15, months=3, reasons=(CancellationReason.TOO_EXPENSIVE, CancellationReason.UNUSED)),
    Rung(percent=20, months=3, least_tenure_months=6, after=1),
    Rung(percent=25, months=6, least_tenure_months=12, least_arr=6_000, after=2),
)


class OfferPolicy(Document):
    """The ladder, smallest rung first: the last one that fits is offered. Shares are 0 to 1."""

    ladder: tuple[Rung, ...] = Field(LADDER, max_length=40)
    gross_margin: float = Field(0.75, gt=0, lt=1)
    """What is left of a price without discount after what it costs to serve."""
    margin_floor: float = Field(0.5, ge=0, lt=1)
    """What must be left of the price that they pay."""
    least_percent: float = Field(5, ge=1, le=100)
    """Less than that is no offer."""
    approve_above_percent: float = Field(20, ge=0, le=100)
    approve_above_cost: int = Field(5_000, ge=0)
    """Revenue forgone, in whole units of the customer's own currency."""
    decide_in_days: int = Field(5, ge=1, le=60)
    """Within so long a person decides; without an answer there is no offer."""
    valid_days: int = Field(21, ge=1, le=365)
    apart_months: int = Field(12, ge=1, le=120)
    """After one that was used, no other for so long."""
    most_returns: int = Field(2, ge=1, le=20)
    """Who has left and come back so often gets no more discounts for it."""
    returns_within_months: int = Field(24, ge=1, le=120)

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.ladder and self.margin_floor >= self.gross_margin:
            message = (
                f"margin_floor {self.margin_floor} leaves no room below gross_margin {self.gross_margin}: "
                "lower the floor, or empty the ladder"
            )
            raise ValueError(message)
        return self

    @property
    def most_percent(self) -> int:
        """The largest whole percentage that leaves the floor: (margin - floor) / (1 - floor)."""
        margin, floor = _exact(self.gross_margin), _exact(self.margin_floor)
        return int(100 * (margin - floor) / (1 - floor))

    def margin_after(self, percent: float) -> float:
        """Return the gross margin that is left of a price with this discount."""
        discount = _exact(percent) / 100
        return float((_exact(self.gross_margin) - discount) / (1 - discount))


def _exact(value: float) -> Fraction:
    """Return a number as it was written: 0.7 is seven tenths."""
    return Fraction(str(value))
