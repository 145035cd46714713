"""Whom we try to win back, when we write to them, and how long a return counts as ours."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from domain.documents import Document
from domain.errors import EverstayError, InvalidInputError
from domain.labels import Cause
from domain.offer_policy import OfferPolicy
from domain.trials import LARGEST_SHARE
from domain.vocabulary import CancellationReason, Segment

KEY = "win_back"


class StoredWinBackPolicyError(EverstayError):
    """The stored win-back policy is of no use: {reason}. PUT a whole one to /api/policies/win-back."""


class WinBackPolicy(Document):
    """The editable document behind win-back. A case keeps it as it was when the case was opened."""

    is_on: bool = True
    causes: tuple[Cause, ...] = (Cause.INVOLUNTARY,)
    """Whose departures are answered. Who decided to leave is written to only where this says so."""
    days: tuple[Annotated[int, Field(ge=0, le=730)], ...] = Field(
        (1, 7, 21, 45, 75), min_length=1, max_length=5
    )
    """Days after the departure on which a letter goes out, on the customer's own morning."""
    offer_from: int = Field(3, ge=1, le=6)
    """The first letter that carries an offer; past the last one, none does."""
    attribution_days: int = Field(90, ge=1, le=365)
    """Who is back within so many days after our last touch came back through us; then the case is lost."""
    holdout_share: float = Field(0.1, ge=0, le=LARGEST_SHARE)
    """Of former customers, left alone to know how many come back by themselves."""
    least_arr: int = Field(0, ge=0)
    """Yearly revenue before they left, in whole units of the customer's own currency."""
    segments: tuple[Segment, ...] = tuple(Segment)
    no_win_back_for: tuple[CancellationReason, ...] = ()
    offers: OfferPolicy = OfferPolicy()

    @model_validator(mode="after")
    def _counts_upwards(self) -> Self:
        if any(later <= earlier for earlier, later in zip(self.days, self.days[1:], strict=False)):
            raise ValueError("days: write each day once, the earliest first, such as 1, 7, 21")
        return self


def read_win_back_policy(document: Mapping[str, Any]) -> WinBackPolicy:
    """Return the policy that a document describes; raises InvalidInputError naming the value and the fix."""
    try:
        return WinBackPolicy.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the policy"
        raise InvalidInputError(field=where, reason=first["msg"].removeprefix("Value error, ")) from None


def stored_win_back_policy(document: object) -> WinBackPolicy:
    """Return a policy as it was once stored: what it lacks is as by default, what is gone since is left out.

    Raises StoredWinBackPolicyError for a document that no version of ours has written.
    """
    if document is None:
        return WinBackPolicy()
    if not isinstance(document, Mapping):
        raise StoredWinBackPolicyError(reason="it is no mapping of names to values")
    known = {name: value for name, value in document.items() if name in WinBackPolicy.model_fields}
    try:
        return read_win_back_policy(known)
    except InvalidInputError as error:
        raise StoredWinBackPolicyError(reason=str(error).rstrip(".")) from None
