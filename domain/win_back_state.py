"""One case of a customer that has left, as it is now, and what may be said of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.case_vocabulary import CaseOutcome, OfferState
from domain.offers import OPEN, NoOffer, Offer, OfferFacts
from domain.time import BusinessInstant
from domain.vocabulary import StepState, TaskOutcome

LETTER, GRANT, WITHDRAW = "letter", "grant", "withdraw"
"""Kinds of order; a letter's is what the queue `email` carries out."""
OVER = frozenset({StepState.DONE, StepState.SKIPPED, StepState.FAILED, StepState.CANCELLED})


@dataclass(frozen=True)
class StepTaken:
    """What became of a letter or a deed so far."""

    state: StepState
    due_at: BusinessInstant | None = None
    """When it is asked for again, where it was put off or is in doubt."""
    finished_at: BusinessInstant | None = None

    def is_over(self, now: BusinessInstant) -> bool:
        """Tell whether the case goes on: it is finished, or in doubt for longer than anybody waits."""
        in_doubt = self.state is StepState.WAITING and self.due_at is not None and self.due_at <= now
        return self.state in OVER or in_doubt

    def rests_until(self, now: BusinessInstant) -> BusinessInstant | None:
        """Return when it is to be asked for again, None where that is now."""
        return self.due_at if self.due_at is not None and self.due_at > now else None


@dataclass(frozen=True)
class CaseOffer:
    """An offer of this case."""

    id: uuid.UUID
    number: int
    """The how many-th of the case."""
    state: OfferState
    is_agreed: bool
    """The policy or a person has said yes; the provider has made it once it is granted."""
    expires_at: BusinessInstant | None = None
    answer: TaskOutcome | None = None
    """What a person said, where one was asked."""
    is_used: bool = False
    """The provider says that the customer has used it."""


@dataclass(frozen=True)
class Return:
    """A former customer is one again."""

    at: BusinessInstant
    arr_minor: int


@dataclass(frozen=True)
class WinBackState:
    """One case as it is now."""

    cancelled_at: BusinessInstant
    time_zone: str
    is_held_out: bool = False
    by_person: bool = False
    """A strategic customer: one of ours talks to them, and no letter goes out by itself."""
    has_task: bool = False
    silent: str = ""
    """Why nobody may be written to, in words; empty where they may."""
    rests: bool = False
    rests_until: BusinessInstant | None = None
    returned: Return | None = None
    steps: Mapping[tuple[str, int], StepTaken] = field(default_factory=dict)
    offers: tuple[CaseOffer, ...] = ()
    """The oldest first."""
    touched_at: BusinessInstant | None = None
    """When we last reached them: a letter was handed over, or somebody of ours spoke with them."""
    facts: OfferFacts | None = None
    """What an offer is chosen by; None where nobody could make one."""

    @property
    def open_offer(self) -> CaseOffer | None:
        """The offer that is proposed, being made, or theirs to use."""
        return next((one for one in reversed(self.offers) if one.state in OPEN), None)

    @property
    def offer_ends_at(self) -> BusinessInstant | None:
        """When that offer, or the time to agree to it, is over."""
        return self.open_offer.expires_at if self.open_offer is not None else None

    def letter(self, number: int) -> StepTaken | None:
        """Return what became of a letter so far."""
        return self.steps.get((letter_step(number), 1))

    def grant(self, offer: CaseOffer) -> StepTaken | None:
        """Return what became of having an offer made so far."""
        return self.steps.get((GRANT, offer.number))

    def withdrawal(self, offer: CaseOffer) -> StepTaken | None:
        """Return what became of taking an offer back so far."""
        return self.steps.get((WITHDRAW, offer.number))


@dataclass(frozen=True)
class Order:
    """One letter, or one deed at the billing provider."""

    kind: str
    step: str
    occurrence: int = 1


@dataclass(frozen=True)
class Ending:
    """How the case ends."""

    outcome: CaseOutcome
    sentence: str
    is_attributed: bool | None = None


@dataclass(frozen=True)
class WinBackDecision:
    """What comes next, and what is written with it."""

    stage: str
    next_action: str = ""
    order: Order | None = None
    wake_at: BusinessInstant | None = None
    held: str | None = None
    ending: Ending | None = None
    proposal: Offer | None = None
    """An offer that is proposed; one that needs a person is put to one."""
    decide_by: BusinessInstant | None = None
    offer_states: Mapping[uuid.UUID, OfferState] = field(default_factory=dict)
    no_offer: NoOffer | None = None
    asks_person: bool = False


def letter_step(number: int) -> str:
    """Return what the step of a letter is called."""
    return f"letter-{number}"
