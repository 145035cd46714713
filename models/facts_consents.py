"""What a source says people agreed to: each change of its word is a row, and silence changes nothing.

A person's own word (models/opt_outs.py) holds whatever a source says; what the source said stays on record.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from domain.facts import ContactFact
from domain.time import BusinessInstant
from domain.vocabulary import NoticeKind, Purpose
from models.arrays import among_ids
from models.facts_batch import Batch, fact_id
from models.opt_outs import OWN_WORDS
from models.outbox import Notice
from models.tables.customers import ConsentRow

Row = dict[str, Any]


@dataclass(frozen=True)
class Word:
    """What the source last said of one purpose, and when that was known."""

    granted: bool
    at: BusinessInstant


class Consents:
    """What this source said before of each person, and the rows to add to it."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._told: dict[uuid.UUID, dict[Purpose, Word]] = {}
        self._own: set[tuple[uuid.UUID, Purpose]] = set()
        self._new: list[Row] = []

    async def load(self, ids: list[uuid.UUID]) -> None:
        """Read what this source and the people themselves said of these contacts."""
        self._told = {key: {} for key in ids}
        row, source_id = ConsentRow, self._batch.source.id
        query = select(row.contact_id, row.purpose, row.granted, row.origin, row.occurred_at)
        query = query.where(among_ids(row.contact_id, ids), row.origin.in_((source_id, *OWN_WORDS)))
        found = await self._batch.session.execute(query.order_by(row.occurred_at, row.known_at))
        for contact, purpose, granted, origin, at in found:
            if origin in OWN_WORDS:
                self._own.add((contact, purpose))
            else:
                self._told[contact][purpose] = Word(granted, at)

    def agree(self, fact: ContactFact, contact: uuid.UUID) -> bool:
        """Tell whether nothing else was said of the same instant."""
        before = self._told.get(contact, {})
        return fact.consents is None or not any(
            word.at == fact.known_at and word.granted != (purpose in fact.consents)
            for purpose, word in before.items()
        )

    def take(self, fact: ContactFact, contact: uuid.UUID) -> bool:
        """Keep what is news of what the source says; tell whether anything is. An older word is none."""
        is_new = contact not in self._told
        words = self._told.setdefault(contact, {})
        changes = [] if fact.consents is None else _changes(words, set(fact.consents), fact.known_at)
        for purpose, granted in changes:
            words[purpose] = Word(granted, fact.known_at)
            self._new.append(self._row(fact, contact, purpose, granted=granted))
            if not is_new and (contact, purpose) not in self._own:
                self._announce(fact, contact, purpose, granted=granted)
        return bool(changes)

    def _row(self, fact: ContactFact, contact: uuid.UUID, purpose: Purpose, *, granted: bool) -> Row:
        row_id = fact_id(str(contact), f"consent/{purpose}/{granted}", fact.known_at.isoformat())
        row = {"id": row_id, "contact_id": contact, "purpose": purpose, "granted": granted}
        origin = self._batch.source.id
        return row | {"origin": origin, "occurred_at": fact.known_at, "known_at": fact.known_at}

    def _announce(self, fact: ContactFact, contact: uuid.UUID, purpose: Purpose, *, granted: bool) -> None:
        payload = {"contact_id": str(contact), "purpose": str(purpose), "granted": granted}
        customer = self._batch.customers[fact.customer]
        notice = Notice(customer, NoticeKind.CONSENT_CHANGED, payload, fact.known_at)
        self._batch.notify(notice, fact.known_at)

    async def flush(self) -> None:
        """Write the rows; the people that they are of are there by now."""
        if self._new:
            await self._batch.session.execute(insert(ConsentRow), self._new)


def _changes(
    words: dict[Purpose, Word], agreed: set[Purpose], known_at: BusinessInstant
) -> list[tuple[Purpose, bool]]:
    """Return where this set moves what the source said before; what it never spoke of is not withdrawn."""
    return [
        (purpose, purpose in agreed)
        for purpose in sorted(agreed | set(words))
        if (word := words.get(purpose)) is None
        or (word.granted != (purpose in agreed) and known_at > word.at)
    ]
