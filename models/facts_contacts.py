"""People at customers: who they are, what they are there, and what they agreed to receive."""

import uuid
from collections import defaultdict
from typing import Any

from sqlalchemy import insert, or_, select, update

from domain.fact_merge import RULES, Clash, content_hash, merge
from domain.facts import ContactFact
from domain.vocabulary import ContactRole
from models.arrays import among, among_ids
from models.fact_changes import change_of, note_changes
from models.facts_batch import Batch, Indexed, Verdict, fact_id, keys_of
from models.facts_consents import Consents
from models.suppressions import hold_newcomers
from models.tables.customers import ContactRoleRow, ContactRow

RULE = RULES["contact"]
FIELDS = RULE.filled + RULE.latest
Row = dict[str, Any]
OpenRoles = dict[tuple[uuid.UUID, uuid.UUID], dict[ContactRole, uuid.UUID]]
ByHand = dict[tuple[uuid.UUID, uuid.UUID], set[ContactRole]]


async def store_contacts(batch: Batch, facts: Indexed) -> None:
    """Add new people, move known ones forward, and keep their roles and consents dated."""
    known = await _load(batch, keys_of(facts))
    ids = [row["id"] for row in known.values()]
    consents = Consents(batch)
    await consents.load(ids)
    writes = _Writes(batch, known, await _roles(batch, ids), consents)
    for index, fact in facts:
        if isinstance(fact, ContactFact):
            writes.take(index, fact)
    await writes.flush()


class _Writes:
    """Collects rows of people and roles; consents collect their own."""

    def __init__(
        self, batch: Batch, known: dict[str, Row], roles: tuple[OpenRoles, ByHand], consents: Consents
    ) -> None:
        self.batch, self.known, self.consents = batch, known, consents
        self.roles, self.by_hand = roles
        self.inserts: dict[str, Row] = {}
        self.updates: dict[uuid.UUID, Row] = {}
        self.new_roles: dict[uuid.UUID, Row] = {}
        self.ended_roles: dict[uuid.UUID, Row] = {}
        self.moved: list[Row] = []

    def take(self, index: int, fact: ContactFact) -> None:
        customer = self.batch.customer_of(index, fact, fact.customer)
        if customer is None:
            return
        old = self.known.get(fact.key)
        if old is None:
            row = self.known[fact.key] = self.inserts[fact.key] = _row(self.batch, fact)
            self._relate(fact, row["id"], customer, is_later=True)
            self.batch.settle(index, Verdict.STORED)
        else:
            self._retell(index, fact, old, customer)

    def _retell(self, index: int, fact: ContactFact, old: Row, customer: uuid.UUID) -> None:
        new = _row(self.batch, fact)
        is_later = fact.known_at > old["told_at"]
        changes = merge(RULE, old, new, is_later=is_later)
        if isinstance(changes, Clash):
            self.batch.refuse(index, fact, Verdict.CONFLICT, changes.field, changes.reason)
            return
        if old["content_hash"] != new["content_hash"] or not self._agrees(
            old["id"], fact, customer, is_later
        ):
            reason = "the same key was told before with other roles, consents or content, and not later"
            self.batch.refuse(index, fact, Verdict.CONFLICT, "key", reason)
            return
        related = self._relate(fact, old["id"], customer, is_later=is_later)
        if changes:
            before = {name: old[name] for name in changes}
            self.moved.append(change_of(ContactRow, old, self.batch.source.id, fact.known_at, before))
            old.update(changes | {"told_at": max(old["told_at"], fact.known_at)})
            if fact.key not in self.inserts:
                self.updates[old["id"]] = {name: old[name] for name in ("id", "told_at", *FIELDS)}
        self.batch.settle(index, Verdict.STORED if changes or related else Verdict.DUPLICATE)

    def _agrees(self, contact: uuid.UUID, fact: ContactFact, customer: uuid.UUID, is_later: bool) -> bool:  # noqa: FBT001  private
        """Tell whether roles and consents may be taken: new, the same, or told later."""
        held = self.roles.get((contact, customer))
        told = set(fact.roles) - self.by_hand.get((contact, customer), set())
        same_roles = held is None or not held or fact.left_at is not None or set(held) == told
        return (is_later or same_roles) and self.consents.agree(fact, contact)

    def _relate(self, fact: ContactFact, contact: uuid.UUID, customer: uuid.UUID, *, is_later: bool) -> bool:
        """Bring roles and consents in step; tell whether anything changed."""
        held = self.roles.setdefault((contact, customer), {})
        wanted = set() if fact.left_at is not None and held else set(fact.roles)
        if fact.left_at is not None and not held and not is_later:
            wanted = set()
        wanted -= self.by_hand.get((contact, customer), set()) - set(held)
        ended = [(role, held.pop(role)) for role in sorted(set(held) - wanted)]
        until = fact.left_at or fact.known_at
        for _, role_id in ended:
            self.ended_roles[role_id] = {"id": role_id, "until": until}
            ended_role = {"id": role_id, "customer_id": customer}
            self.moved.append(
                change_of(ContactRoleRow, ended_role, self.batch.source.id, fact.known_at, {"until": None})
            )
        begun = sorted(wanted - set(held))
        for role in begun:
            self._begin_role(fact, contact, customer, role)
        return self.consents.take(fact, contact) or bool(ended or begun)

    def _begin_role(
        self, fact: ContactFact, contact: uuid.UUID, customer: uuid.UUID, role: ContactRole
    ) -> None:
        first = fact.key in self.inserts and (contact, customer) in self.roles
        since = fact.since if first else max(fact.since, fact.known_at)
        role_id = fact_id(str(customer), f"role/{contact}", f"{role}/{since.isoformat()}")
        row = {"id": role_id, "customer_id": customer, "contact_id": contact, "role": role}
        self.new_roles[role_id] = row | {"since": since, "until": fact.left_at}
        if fact.left_at is None:
            self.roles[contact, customer][role] = role_id

    async def flush(self) -> None:
        """Write people first, then what refers to them."""
        session = self.batch.session
        ended = {key: row for key, row in self.ended_roles.items() if key not in self.new_roles}
        for key in set(self.ended_roles) & set(self.new_roles):
            self.new_roles[key]["until"] = self.ended_roles[key]["until"]
        for table, rows in ((ContactRow, self.inserts.values()), (ContactRoleRow, self.new_roles.values())):
            if rows:
                await session.execute(insert(table), list(rows))
        if self.updates:
            await session.execute(update(ContactRow), list(self.updates.values()))
        if ended:
            await session.execute(update(ContactRoleRow), list(ended.values()))
        await note_changes(self.batch.session, self.moved)
        await self.consents.flush()
        people = [*self.inserts.values(), *self.updates.values()]
        came = {person["id"]: person["email"] for person in people if person["email"]}
        await hold_newcomers(session, came, self.batch.received_at)


def _row(batch: Batch, fact: ContactFact) -> Row:
    values = {name: getattr(fact, name) for name in FIELDS}
    return values | {
        "id": fact_id(batch.source.id, "contact", fact.key),
        "source_id": batch.source.id,
        "external_id": fact.key,
        "content_hash": content_hash(fact, RULE),
        "locale": fact.locale or "en",
        "known_at": fact.known_at,
        "told_at": fact.known_at,
    }


async def _load(batch: Batch, keys: list[str]) -> dict[str, Row]:
    row = ContactRow
    columns = [getattr(row, name) for name in FIELDS]
    query = select(row.id, row.external_id, row.content_hash, row.known_at, row.told_at, *columns)
    query = query.where(row.source_id == batch.source.id, among(row.external_id, keys))
    found = [dict(one) for one in (await batch.session.execute(query)).mappings()]
    return {one["external_id"]: one | {"told_at": one["told_at"] or one["known_at"]} for one in found}


async def _roles(batch: Batch, ids: list[uuid.UUID]) -> tuple[OpenRoles, ByHand]:
    """Return the open roles that sources told, and those of which a person said whether they hold."""
    row = ContactRoleRow
    query = select(row.contact_id, row.customer_id, row.role, row.id, row.said_by).where(
        among_ids(row.contact_id, ids), or_(row.until.is_(None), row.said_by.is_not(None))
    )
    held: OpenRoles = defaultdict(dict)
    by_hand: ByHand = defaultdict(set)
    for contact, customer, role, role_id, said_by in await batch.session.execute(query):
        if said_by is None:
            held[contact, customer][role] = role_id
        else:
            by_hand[contact, customer].add(role)
    return dict(held), by_hand
