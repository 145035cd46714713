"""What a case of an unpaid invoice knows and remembers, and what one look at it can say."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.billing import Decline, FinalAction, InvoiceEvidence, Retries
from domain.case_vocabulary import AttemptResult, CaseOutcome, PaidBy
from domain.declines import DeclineKind, rule_on
from domain.dunning_policy import DunningPolicy
from domain.dunning_schedule import CardUse, Place
from domain.time import BusinessInstant, after


class DunningStage(StrEnum):
    """Where a case stands, for boards."""

    RETRYING = "retrying"
    PROVIDER_RETRIES = "provider_retries"
    NEEDS_CUSTOMER = "needs_customer"
    REMINDING = "reminding"
    GRACE = "grace"
    FINAL = "final"


class DunningStep(StrEnum):
    """What a case can order; letters are named after their template."""

    COLLECT = "collect"
    END_SUBSCRIPTION = "end_subscription"
    WRITE_OFF = "write_off"
    GENTLE = "payment-gentle"
    NEUTRAL = "payment-neutral"
    FIRM = "payment-firm"
    CARD_UPDATE = "payment-card-update"
    AUTHENTICATION = "payment-authentication"
    FINAL_NOTICE = "payment-final-notice"
    BEFORE_DUE = "payment-due-soon"
    OVERDUE = "payment-overdue"


DEEDS = frozenset({DunningStep.COLLECT, DunningStep.END_SUBSCRIPTION, DunningStep.WRITE_OFF})


class DunningMemory(BaseModel):
    """What a case keeps between looks; add-only, with defaults."""

    model_config = ConfigDict(frozen=True)

    anchored_at: BusinessInstant
    """From when the schedule counts: the opening, the last payment of a part, another card; rests move it."""
    remaining_minor: int
    opened_minor: int
    collects: int = 0
    """Attempts of ours that were ordered."""
    collects_since: int = 0
    """Of them, since the schedule counts."""
    notices: tuple[BusinessInstant, ...] = ()
    """When each letter was ordered."""
    notices_since: int = 0
    """Of them, by the schedule and since it counts."""
    before_due: int = 0
    """Reminders before the due date that were ordered or missed."""
    card: str | None = None
    """The card on file at the last look; None before the first."""
    asked_for: tuple[str, ...] = ()
    """Refused cards that the customer was asked to replace."""
    over_at: BusinessInstant | None = None
    """When nothing was left to try."""
    final_notice_at: BusinessInstant | None = None
    final: DunningStep | None = None
    """The deed that was ordered at the end."""
    halted_at: BusinessInstant | None = None
    """Since when the case has been held, or nothing may leave."""
    attempts_seen: int = 0
    """Attempts that the provider counted at the last look."""
    asked: tuple[str, ...] = ()
    """What was put to a person."""
    last4: str = ""
    pay_url: str = ""
    """Of the last look, for the letters: a page of the provider."""
    planned: str = ""
    """The step that was last written down without being carried out."""

    @property
    def recovered_minor(self) -> int:
        """What was paid since the case was opened, as far as it was seen."""
        return max(self.opened_minor - self.remaining_minor, 0)


@dataclass(frozen=True)
class Attempt:
    """One attempt to collect the invoice, whoever made it."""

    at: BusinessInstant
    by: PaidBy
    result: AttemptResult
    card_key: str = ""
    card_brand: str = ""
    decline: Decline | None = None

    @property
    def refused_for_good(self) -> bool:
        """Whether this card is not to be tried again for this invoice."""
        declined = self.result is AttemptResult.DECLINED and self.decline is not None
        return (
            declined
            and self.decline is not None
            and rule_on(self.decline, self.card_brand).kind is not DeclineKind.SOFT
        )


@dataclass(frozen=True)
class Rest:
    """Why nothing is done now, and until when; None: until somebody says so."""

    reason: str
    until: BusinessInstant | None = None


@dataclass(frozen=True)
class Unfinished:
    """A step that was ordered and is not over: begun, put off, or in doubt."""

    step: DunningStep
    occurrence: int
    due_at: BusinessInstant | None = None
    """When it is asked for again; None: at once."""
    in_doubt: bool = False
    """Nobody can say whether it happened: it is waited for, and not repeated."""


@dataclass(frozen=True)
class DunningState:
    """One case as it stands in our database."""

    key: str
    memory: DunningMemory
    retries: Retries
    place: Place = field(default_factory=Place)
    attempts: tuple[Attempt, ...] = ()
    """Of this invoice, the oldest first."""
    card: CardUse = field(default_factory=CardUse)
    """The card on file, over all invoices."""
    do_not_contact: bool = False
    rest: Rest | None = None
    """A person has ordered a rest."""
    is_off: bool = False
    """Effects are stopped, or the installation only observes: everything is planned, and nothing leaves."""
    unfinished: Unfinished | None = None
    final_failed: bool = False
    """The deed at the end could not be done."""


@dataclass(frozen=True)
class Question:
    """Something for a person, once per key."""

    key: str
    title: str
    body: str


@dataclass(frozen=True)
class DunningEnding:
    """How the case ends."""

    outcome: CaseOutcome
    sentence: str
    paid_by: PaidBy | None = None


@dataclass(frozen=True)
class DunningRuling:
    """What one look has decided: at most one step, or a wait, or an end."""

    memory: DunningMemory
    stage: DunningStage
    sentence: str
    step: DunningStep | None = None
    occurrence: int = 1
    planned: DunningStep | None = None
    """What would have been done if anything could leave."""
    wake_at: BusinessInstant | None = None
    held: str | None = None
    ending: DunningEnding | None = None
    question: Question | None = None


@dataclass(frozen=True)
class Sight:
    """One look: everything that the rules are asked with."""

    state: DunningState
    evidence: InvoiceEvidence
    policy: DunningPolicy
    now: BusinessInstant

    @property
    def memory(self) -> DunningMemory:
        """What the case remembers."""
        return self.state.memory

    def since_anchor(self, days: float) -> BusinessInstant:
        """Return the instant so many days into the schedule."""
        return after(self.memory.anchored_at, dt.timedelta(days=days))

    @property
    def final_deed(self) -> DunningStep | None:
        """What is done to the subscription or the invoice at the end, None where nothing is."""
        limit = self.policy.write_off_below.get(self.evidence.currency.upper(), 0)
        if self.evidence.remaining_minor < limit:
            return DunningStep.WRITE_OFF
        acts = self.policy.final_action is not FinalAction.KEEP and self.evidence.subscription_key is not None
        is_over = self.evidence.subscription_status == "canceled"
        return DunningStep.END_SUBSCRIPTION if acts and not is_over else None

    @property
    def is_for_a_person(self) -> bool:
        """Whether the amount is one about which a person decides."""
        limit = self.policy.escalate_from.get(self.evidence.currency.upper())
        return limit is not None and self.evidence.remaining_minor >= limit
