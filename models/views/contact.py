"""One contact: which tracked users it is, and which customers it belongs to, since when."""

import uuid
from dataclasses import dataclass

from sqlalchemy import text

from domain.errors import NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import ContactRole
from models.database import Session

_CONTACT = """
SELECT contacts.id, contacts.name, contacts.email, contacts.source_id, sources.name AS source,
       contacts.external_id AS key
FROM contacts JOIN sources ON sources.id = contacts.source_id WHERE contacts.id = :id
"""
_IDENTITIES = """
SELECT known.source_id, sources.name AS source, known.key, known.since, known.until, known.made_by,
       users.name AS by
FROM identities AS known JOIN sources ON sources.id = known.source_id
LEFT JOIN users ON users.id::text = known.made_by
WHERE known.contact_id = :id AND known.kind = 'user'
ORDER BY known.until IS NOT NULL, known.since DESC, known.key
"""
_MEMBERSHIPS = """
SELECT role.customer_id, customers.name AS customer, role.role, role.since, role.until, users.name AS by
FROM contact_roles AS role JOIN customers ON customers.id = role.customer_id
LEFT JOIN users ON users.id::text = role.said_by
WHERE role.contact_id = :id
ORDER BY role.until IS NOT NULL, role.since DESC, customers.name, role.role
"""
_TRACKING = """
SELECT id, name FROM sources
WHERE EXISTS (SELECT 1 FROM tracked_traits AS told WHERE told.source_id = sources.id AND told.kind = 'user')
ORDER BY name
"""


@dataclass(frozen=True)
class ContactIdentity:
    """A tracked user that stands, or stood, for the contact; `by` is the person who linked it."""

    source_id: str
    source: str
    key: str
    since: BusinessInstant
    until: BusinessInstant | None
    made_by: str
    by: str | None


@dataclass(frozen=True)
class ContactMembership:
    """A role at a customer; `by` is the person who began or ended it by hand."""

    customer_id: uuid.UUID
    customer: str
    role: ContactRole
    since: BusinessInstant
    until: BusinessInstant | None
    by: str | None


@dataclass(frozen=True)
class ContactPage:
    """A person with what they are known by and where they belong; what holds comes first."""

    id: uuid.UUID
    name: str
    email: str | None
    source_id: str
    source: str
    key: str
    identities: tuple[ContactIdentity, ...]
    memberships: tuple[ContactMembership, ...]


async def load_contact(session: Session, contact_id: uuid.UUID) -> ContactPage:
    """Return one contact with its history of identities and memberships; raises NotFoundError."""
    values = {"id": contact_id}
    row = (await session.execute(text(_CONTACT), values)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(what="contact", key=contact_id)
    identities = (await session.execute(text(_IDENTITIES), values)).mappings()
    memberships = (await session.execute(text(_MEMBERSHIPS), values)).mappings()
    return ContactPage(
        **row,
        identities=tuple(ContactIdentity(**one) for one in identities),
        memberships=tuple(
            ContactMembership(**{**one, "role": ContactRole(one["role"])}) for one in memberships
        ),
    )


async def load_tracking_sources(session: Session) -> list[tuple[str, str]]:
    """Return id and name of sources that told of users, so that one of theirs can be named."""
    return [(row.id, row.name) for row in await session.execute(text(_TRACKING))]
