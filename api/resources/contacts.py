"""`/api/contacts`: which tracked users a contact is, and which customers it belongs to."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.instants import Instant
from api.resources.pages import ApiRequest, said_by, write_once
from domain.permissions import Permission
from domain.time import BusinessInstant, business
from domain.vocabulary import ContactRole
from models.clock import StoredClock
from models.contact_links import (
    Membership,
    UserKey,
    begin_membership,
    end_membership,
    link_user,
    unlink_user,
)
from models.database import Database, Session
from models.holding_actions import Said
from models.views.contact import load_contact

WRITE = needs(Permission.MEND_ROWS)


class Shape(BaseModel):
    """Read from rows."""

    model_config = ConfigDict(from_attributes=True)


class TrackedUser(BaseModel):
    """A user as its source names it."""

    source_id: Annotated[str, Field(min_length=1, max_length=200)]
    key: Annotated[str, Field(min_length=1, max_length=500)]


class BeginMembership(BaseModel):
    """A role at a customer, from now on if no time is given."""

    customer_id: uuid.UUID
    role: ContactRole = ContactRole.END_USER
    since: Instant | None = None


class EndMembership(BaseModel):
    """Every role at a customer, or one, ended now if no time is given."""

    customer_id: uuid.UUID
    role: ContactRole | None = None
    until: Instant | None = None


class IdentityShape(Shape):
    """A tracked user that stands for the contact, or stood until; `made_by` is match, or who linked it."""

    source_id: str
    key: str
    since: dt.datetime
    until: dt.datetime | None
    made_by: str


class MembershipShape(Shape):
    """A role at a customer."""

    customer_id: uuid.UUID
    customer: str
    role: ContactRole
    since: dt.datetime
    until: dt.datetime | None


class ContactShape(Shape):
    """A person; what holds comes before what ended. `key` is what its own source calls it."""

    id: uuid.UUID
    name: str
    email: str | None
    source_id: str
    key: str
    identities: list[IdentityShape]
    memberships: list[MembershipShape]


class ContactController(Controller):
    """Who a person is, and where."""

    path = "/contacts/{contact_id:uuid}"
    opt = needs(Permission.READ_IMPORTS)
    tags = ["Data"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(
        self, contact_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> ContactShape:
        """Show identities and memberships of a contact, past ones too."""
        async with database.transaction() as session:
            return await _shape(session, contact_id)

    @post("/identities", opt=WRITE, status_code=HTTP_200_OK)
    async def link(
        self,
        contact_id: FromPath[uuid.UUID],
        request: ApiRequest,
        data: JSONBody[TrackedUser],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ContactShape:
        """Say that a tracked user is this contact; its events are put to their name."""

        async def write(session: Session) -> ContactShape:
            await link_user(session, _user(data), contact_id, said_by(request, clock))
            return await _shape(session, contact_id)

        return await write_once(request, database, clock, ContactShape, write)

    @post("/identities/unlink", opt=WRITE, status_code=HTTP_200_OK)
    async def unlink(
        self,
        contact_id: FromPath[uuid.UUID],
        request: ApiRequest,
        data: JSONBody[TrackedUser],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ContactShape:
        """Take back that a tracked user is this contact; its events wait for another name."""

        async def write(session: Session) -> ContactShape:
            await unlink_user(session, _user(data), contact_id, said_by(request, clock))
            return await _shape(session, contact_id)

        return await write_once(request, database, clock, ContactShape, write)

    @post("/memberships", opt=WRITE, status_code=HTTP_200_OK)
    async def begin(
        self,
        contact_id: FromPath[uuid.UUID],
        request: ApiRequest,
        data: JSONBody[BeginMembership],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ContactShape:
        """Say that this contact has a role at a customer."""

        async def write(session: Session) -> ContactShape:
            said, member = said_by(request, clock), Membership(contact_id, data.customer_id)
            await begin_membership(session, member, data.role, _at(data.since, said), said)
            return await _shape(session, contact_id)

        return await write_once(request, database, clock, ContactShape, write)

    @post("/memberships/end", opt=WRITE, status_code=HTTP_200_OK)
    async def end(
        self,
        contact_id: FromPath[uuid.UUID],
        request: ApiRequest,
        data: JSONBody[EndMembership],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ContactShape:
        """End one role of this contact at a customer, or all of them."""

        async def write(session: Session) -> ContactShape:
            said, member = said_by(request, clock), Membership(contact_id, data.customer_id)
            await end_membership(session, member, data.role, _at(data.until, said), said)
            return await _shape(session, contact_id)

        return await write_once(request, database, clock, ContactShape, write)


async def _shape(session: Session, contact_id: uuid.UUID) -> ContactShape:
    return ContactShape.model_validate(await load_contact(session, contact_id))


def _user(data: TrackedUser) -> UserKey:
    return UserKey(data.source_id, data.key)


def _at(told: dt.datetime | None, said: Said) -> BusinessInstant:
    return said.now if told is None else business(told)
