"""One call of `store_facts`: what it knows, and what became of each fact."""

import enum
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from domain.addresses import is_address
from domain.facts import Fact
from domain.time import BusinessInstant, WallInstant
from models.outbox import Notice
from models.sources import Source

NAMESPACE = uuid.UUID("6f1f0d0a-5a3e-4d52-9c0b-0a7d8f2f6b11")
"""Ids are uuid5 of source, type and the source's own id, so that the same fact has the same id anywhere."""


def fact_id(source_id: str, kind: str, key: str) -> uuid.UUID:
    """Return the id of a fact of one source."""
    return uuid.uuid5(NAMESPACE, f"{source_id}/{kind}/{key}")


class Verdict(enum.Enum):
    """What became of one fact."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Problem:
    """Why a fact was not stored: the field, and a reason in words."""

    key: str
    type: str
    field: str
    reason: str


@dataclass
class StoreResult:
    """One verdict per fact, in the order in which they were given."""

    verdicts: list[Verdict]
    problems: dict[int, Problem] = field(default_factory=dict)
    customers: Mapping[str, uuid.UUID] = field(default_factory=dict)
    """Whom the facts' names of customers stand for."""

    @property
    def stored(self) -> int:
        """Facts that were new, or moved a known one forward."""
        return self.verdicts.count(Verdict.STORED)

    @property
    def duplicates(self) -> int:
        """Facts that said nothing new."""
        return self.verdicts.count(Verdict.DUPLICATE)

    @property
    def conflicts(self) -> list[Problem]:
        """Facts that contradict what was told under the same key."""
        return self._with(Verdict.CONFLICT)

    @property
    def unresolved(self) -> list[Problem]:
        """Facts about a customer or contact that nobody knows."""
        return self._with(Verdict.UNRESOLVED)

    def _with(self, verdict: Verdict) -> list[Problem]:
        return [problem for index, problem in self.problems.items() if self.verdicts[index] is verdict]


@dataclass
class Batch:
    """The state that the stages of one call share."""

    session: AsyncSession
    source: Source
    received_at: WallInstant
    now: BusinessInstant
    result: StoreResult
    notices: list[Notice] = field(default_factory=list)
    customers: dict[str, uuid.UUID] = field(default_factory=dict)
    given: dict[str, uuid.UUID] = field(default_factory=dict)
    """Customers that the caller has found, by the names that its facts give them."""
    linked: dict[str, uuid.UUID] = field(default_factory=dict)
    """Customers of another source that this one's keys were found to stand for."""
    contacts: dict[str, uuid.UUID] = field(default_factory=dict)
    users: dict[str, uuid.UUID] = field(default_factory=dict)
    to_refresh: set[uuid.UUID] = field(default_factory=set)
    """Customers whose status, ARR, renewal or tier may have changed."""
    moved_invoices: dict[uuid.UUID, Mapping[str, Any]] = field(default_factory=dict)
    """Invoices of which something new is known, as they are by now."""
    can_collect: bool = False
    """Whether invoices of the source can be collected: only then are unpaid ones news."""
    announces: bool = True
    """Whether new customers are announced at once, or by the caller when all of their history is there."""

    def settle(self, index: int, verdict: Verdict) -> None:
        """Note what became of a fact."""
        self.result.verdicts[index] = verdict

    def refuse(self, index: int, fact: Fact, verdict: Verdict, field_name: str, reason: str) -> None:
        """Note why a fact was not stored."""
        self.result.verdicts[index] = verdict
        self.result.problems[index] = Problem(fact.key, fact.type, field_name, reason)

    def is_live(self, known_at: BusinessInstant) -> bool:
        """Tell whether a fact became known after its source was connected: only those trigger anything."""
        return known_at >= self.source.connected_at

    def notify(self, notice: Notice, known_at: BusinessInstant) -> None:
        """Put a notice unless the fact is history."""
        if self.is_live(known_at):
            self.notices.append(notice)

    def customer_of(self, index: int, fact: Fact, customer: str) -> uuid.UUID | None:
        """Return the customer's id, or note that nobody knows it."""
        known = self.customers.get(customer)
        if known is None:
            reason = f"no customer has the id {customer!r}"
            self.refuse(index, fact, Verdict.UNRESOLVED, "customer", reason)
        return known

    def has_contact(self, index: int, fact: Fact, contact: str | None) -> bool:
        """Tell whether a named contact is known, and note it if not; a stranger's address names nobody."""
        if contact is None or contact in self.contacts or is_address(contact):
            return True
        reason = f"no contact has the id {contact!r}"
        self.refuse(index, fact, Verdict.UNRESOLVED, "contact", reason)
        return False


Indexed = Sequence[tuple[int, Fact]]


def keys_of(facts: Iterable[tuple[int, Fact]]) -> list[str]:
    """Return the distinct keys of some facts."""
    return list({fact.key: None for _, fact in facts})
