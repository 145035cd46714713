"""What one more message to a customer is worth, so that motions which want the same slot can be compared."""

from dataclasses import dataclass

from domain.money import whole_units


@dataclass(frozen=True)
class Stake:
    """What the customer may cost us: recurring revenue a year in minor units, and the chance to lose it."""

    arr_minor: int = 0
    currency: str = "USD"
    churn_probability: float | None = None

    @property
    def expected_loss(self) -> float:
        """In whole units of currency; 1 while nothing is known, so that priorities alone decide."""
        loss = whole_units(self.arr_minor, self.currency) * (self.churn_probability or 0)
        return loss if loss > 0 else 1.0


def worth_of(stake: Stake, uplift: float) -> float:
    """Return the expected value of a message: chance of loss x ARR x uplift of its playbook.

    The stake is the customer's and the same for all its playbooks at one time, so that what is compared is
    the uplift: measured, or declared until then (domain/uplift.py).
    """
    return stake.expected_loss * uplift
