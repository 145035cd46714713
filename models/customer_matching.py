"""Which customer a row speaks of: one that is here already is found again instead of made twice."""

import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.facts import CustomerFact, Fact
from domain.time import BusinessInstant
from models.arrays import among, among_ids
from models.facts_addresses import customers_at
from models.facts_batch import fact_id
from models.tables.customers import ContactRow, CustomerRow
from models.tables.tracking import IdentityRow

_COUNTER = re.compile(r"[0-9]{1,5}")
"""Small numbers that any system numbers its customers with: they say nothing across systems."""
GROUP, USER = "group", "user"


@dataclass(frozen=True)
class Claim:
    """What a row says of its customer."""

    key: str
    domain: str | None = None
    name: str | None = None
    is_reference: bool = False
    """Whether the row only refers to a customer that has to be here."""


@dataclass(frozen=True)
class Match:
    """The customer that a claim means, and by what it was recognised: id, domain or name."""

    customer_id: uuid.UUID
    name: str
    by: str


def claims_of(facts: Iterable[Fact]) -> list[Claim]:
    """Return whom some facts speak of, each once."""
    found: dict[str, Claim] = {}
    for fact in facts:
        if isinstance(fact, CustomerFact):
            found[fact.key] = Claim(fact.key, plain_domain(fact.domain), fact.name)
        elif fact.customer not in found:
            named = fact.customer
            found[named] = Claim(named, plain_domain(named), named, is_reference=True)
    return list(found.values())


def plain_domain(text: str | None) -> str | None:
    """Return the domain in a domain, an address or an e-mail address; None where there is none."""
    bare = re.sub(r"^(https?://)?(www\.)?", "", (text or "").strip().lower()).rstrip("/").rsplit("@", 1)[-1]
    return bare if re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", bare) else None


async def match_customers(session: AsyncSession, claims: Sequence[Claim], source_id: str) -> dict[str, Match]:
    """Return the customer of another source that each claim means: by id, else domain, else exact name."""
    row = CustomerRow
    names = [claim.name.lower() for claim in claims if claim.name]
    domains = [claim.domain for claim in claims if claim.domain]
    bare = func.regexp_replace(func.lower(row.domain), r"^(https?://)?(www\.)?|/$", "", "g")
    query = select(row.id, row.external_id, row.name, bare).where(
        row.source_id != source_id,
        among(row.external_id, [claim.key for claim in claims])
        | among(bare, domains)
        | among(func.lower(row.name), names),
    )
    known = _Known([tuple(found) for found in await session.execute(query)])
    matches = {claim.key: match for claim in claims if (match := known.match(claim)) is not None}
    left = [claim.key for claim in claims if claim.is_reference and claim.key not in matches]
    return matches | await _by_address(session, left)


async def _by_address(session: AsyncSession, names: Sequence[str]) -> dict[str, Match]:
    """Return the customers of e-mail addresses whose people we know."""
    found = await customers_at(session, names)
    query = select(CustomerRow.id, CustomerRow.name).where(among_ids(CustomerRow.id, list(found.values())))
    shown = dict((await session.execute(query)).all()) if found else {}
    return {name: Match(customer, shown[customer], "e-mail") for name, customer in found.items()}


Candidate = tuple[uuid.UUID, str, str, str | None]


class _Known:
    """Customers by each of the things that they are recognised by."""

    def __init__(self, rows: Sequence[tuple[object, ...]]) -> None:
        candidates: list[Candidate] = list(rows)  # type: ignore[arg-type]  # the query's columns
        self._by_id = _grouped(candidates, 1)
        self._by_domain = _grouped(candidates, 3)
        self._by_name = _grouped([(i, key, name.lower(), domain) for i, key, name, domain in candidates], 2)
        self._names = {one[0]: one[2] for one in candidates}

    def match(self, claim: Claim) -> Match | None:
        """Return the only customer that fits; of two that fit equally well, none."""
        for by, found in (
            ("id", [one for one in self._by_id.get(claim.key, []) if _is_same(claim, one)]),
            ("domain", self._by_domain.get(claim.domain or "", [])),
            ("name", self._by_name.get((claim.name or "").lower(), [])),
        ):
            if len(found) == 1:
                return Match(found[0][0], self._names[found[0][0]], by)
        return None


def _is_same(claim: Claim, candidate: Candidate) -> bool:
    """Whether an id is enough: not where it is a mere counter and name and domain say otherwise."""
    _, _, name, domain = candidate
    if claim.is_reference or (claim.name or "").lower() == name.lower():
        return True
    if claim.domain and domain:
        return claim.domain == domain
    return not _COUNTER.fullmatch(claim.key)


def _grouped(rows: Sequence[Candidate], place: int) -> dict[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for row in rows:
        if row[place]:
            found.setdefault(str(row[place]), []).append(row)
    return found


async def link_facts(
    session: AsyncSession, source_id: str, facts: Sequence[Fact], now: BusinessInstant
) -> list[Fact]:
    """Remember whom an upload's rows speak of, where that is another's customer; return the facts to store.

    A person whom nobody knows is left out of a fact: a ticket counts for its customer all the same.
    """
    matches = await match_customers(session, claims_of(facts), source_id)
    people = {contact for fact in facts if (contact := getattr(fact, "contact", None))}
    found = await _match_contacts(session, people, source_id)
    rows = [
        _identity(source_id, GROUP, key, now, customer_id=one.customer_id) for key, one in matches.items()
    ]
    rows += [_identity(source_id, USER, key, now, contact_id=contact) for key, contact in found.items()]
    known = await _known(session, source_id)
    fresh = [row for row in rows if (row["kind"], row["key"]) not in known]
    if fresh:
        await session.execute(insert(IdentityRow), fresh)
    strangers = people - set(found) - await people_named(session, source_id, people)
    return [_without(fact, strangers) for fact in facts]


def _without(fact: Fact, strangers: Collection[str]) -> Fact:
    named = getattr(fact, "contact", None)
    return fact.model_copy(update={"contact": None}) if named in strangers else fact


async def people_named(session: AsyncSession, source_id: str, names: Collection[str]) -> set[str]:
    """Return those of a source's names that stand for a person, its own or another source's."""
    if not names:
        return set()
    row = ContactRow
    query = select(row.external_id).where(row.source_id == source_id, among(row.external_id, list(names)))
    return set(await session.scalars(query)) | set(await linked(session, source_id, USER, list(names)))


def _identity(
    source_id: str, kind: str, key: str, since: BusinessInstant, **whom: uuid.UUID
) -> dict[str, object]:
    return {
        "id": fact_id(source_id, f"identity/{kind}", key),
        "source_id": source_id,
        "kind": kind,
        "key": key,
        "customer_id": None,
        "contact_id": None,
        "since": since,
        "made_by": "match",
        **whom,
    }


async def _known(session: AsyncSession, source_id: str) -> set[tuple[str, str]]:
    query = select(IdentityRow.kind, IdentityRow.key).where(IdentityRow.source_id == source_id)
    return {(kind, key) for kind, key in await session.execute(query)}


async def _match_contacts(
    session: AsyncSession, names: Collection[str], source_id: str
) -> dict[str, uuid.UUID]:
    """Return the one person that each name means: by e-mail address, else by id."""
    row = ContactRow
    mails = [name.lower() for name in names if "@" in name]
    query = select(row.id, row.external_id, func.lower(row.email)).where(
        row.source_id != source_id,
        among(func.lower(row.email), mails) | among(row.external_id, list(names)),
    )
    found: dict[str, set[uuid.UUID]] = {}
    for contact, key, mail in await session.execute(query):
        for name in {key, mail} - {None}:
            found.setdefault(name, set()).add(contact)
    whom = {name: found.get(name.lower()) or found.get(name) or set() for name in names}
    return {name: next(iter(ids)) for name, ids in whom.items() if len(ids) == 1}


async def linked(
    session: AsyncSession, source_id: str, kind: str, names: Sequence[str]
) -> dict[str, uuid.UUID]:
    """Return whom a source's keys were found to stand for."""
    row = IdentityRow
    whom = row.customer_id if kind == GROUP else row.contact_id
    query = select(row.key, whom).where(
        row.source_id == source_id, row.kind == kind, row.until.is_(None), whom.is_not(None)
    )
    found = (await session.execute(query.where(among(row.key, names)))).all()
    return {key: one for key, one in found if one is not None}
