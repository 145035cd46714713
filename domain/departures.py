"""The last departure of a customer, as the director sees it."""

from dataclasses import dataclass

from domain.labels import Cause
from domain.time import BusinessInstant
from domain.vocabulary import CancellationReason


@dataclass(frozen=True)
class KnownDeparture:
    """When and why a customer left, what they paid until then, and whether that was answered before."""

    at: BusinessInstant
    cause: Cause
    reason: CancellationReason | None
    arr_minor: int
    currency: str
    connected_at: BusinessInstant
    """When the source that tells of the customer was connected."""
    is_answered: bool
    """There is a case of it, or it was said why there is none."""
