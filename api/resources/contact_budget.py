"""The contact budget on the wire: one customer's, and the policy behind all of them."""

import datetime as dt
import uuid
from typing import Any

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from api.guards import needs
from api.resources.pages import ApiRequest, write_once
from api.resources.shapes import Shape
from domain.contact_policy import ContactPolicy
from domain.contact_words import say_change, say_policy
from domain.permissions import Permission
from domain.vocabulary import Channel
from models.clock import StoredClock
from models.contact_policy import load_contact_policy, save_contact_policy
from models.database import Database, Session
from models.resources.customers import check_customer
from models.views.contact_budget import load_contact_budget


class ContactAllowance(Shape):
    """One cap of the customer's. `planned` is what waits with a slot in the coming hours."""

    channel: Channel
    hours: int
    most: int
    spent: int
    planned: int
    left: int


class PlannedMessage(Shape):
    """A message that waits: until when, and why. What holds a slot has a worth."""

    intervention_id: uuid.UUID
    playbook: str
    step_id: str
    contact: str | None
    until: dt.datetime | None
    reason: str
    worth: float | None
    times_displaced: int


class RefusedMessage(Shape):
    """A message that was not sent, and why."""

    intervention_id: uuid.UUID | None
    playbook: str
    at: dt.datetime
    reason: str
    sentence: str


class CustomerContactBudget(Shape):
    """What is left of a customer's contact budget, what waits, and what was refused in 30 days."""

    allowances: list[ContactAllowance]
    planned: list[PlannedMessage]
    refused: list[RefusedMessage]
    last_at: dt.datetime | None


class RuleChange(Shape):
    """One rule in words as it is and as it would be; empty where it begins or ends."""

    now: str
    then: str


class ContactPolicyChange(Shape):
    """A policy in words, and each rule that it changes."""

    words: list[str]
    changes: list[RuleChange]


@get("/customers/{customer_id:uuid}/contact-budget", opt=needs(Permission.READ_CUSTOMERS), tags=["Customers"])
async def customer_contact_budget(
    customer_id: FromPath[uuid.UUID],
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
) -> CustomerContactBudget:
    """Say how much optional contact a customer may still get, what waits until when, and what was refused."""
    async with database.transaction() as session:
        await check_customer(session, customer_id)
        return CustomerContactBudget.model_validate(
            _plain(await load_contact_budget(session, customer_id, clock.now()))
        )


def _plain(view: Any) -> dict[str, Any]:
    return {
        "allowances": [{**vars(each), "left": each.left} for each in view.allowances],
        "planned": [vars(each) for each in view.planned],
        "refused": [vars(each) for each in view.refused],
        "last_at": view.last_at,
    }


class ContactPolicyController(Controller):
    """How often and when customers hear from us."""

    path = "/policies/contact"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Policies"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> ContactPolicy:
        """Return the policy in force."""
        async with database.transaction() as session:
            return await load_contact_policy(session)

    @post("/preview", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def preview(
        self, data: JSONBody[ContactPolicy], database: NamedDependency[Database]
    ) -> ContactPolicyChange:
        """Say a policy in words and what it would change, without changing it."""
        async with database.transaction() as session:
            changes = say_change(await load_contact_policy(session), data)
        return ContactPolicyChange(
            words=list(say_policy(data).values()),
            changes=[RuleChange(now=was, then=will) for was, will in changes],
        )

    @put("/", opt=needs(Permission.EDIT_POLICIES))
    async def replace(
        self,
        request: ApiRequest,
        data: JSONBody[ContactPolicy],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ContactPolicy:
        """Put a whole new policy in force; what waits is asked by it when its time comes."""
        user = request.user.user_id

        async def write(session: Session) -> ContactPolicy:
            await save_contact_policy(session, data, user, clock.now())
            return data

        return await write_once(request, database, clock, ContactPolicy, write)
