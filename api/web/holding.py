"""The holding area: groups that nobody knows, and a person who says whose they are."""

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.permissions import Permission
from models.changes import announce_change
from models.database import Session
from models.holding_actions import (
    GroupKey,
    Said,
    create_customer_of,
    ignore_group,
    link_group,
    unlink_group,
)
from models.views.holding import find_candidates, load_held_groups, load_linked_groups, load_reasons

REASONS = {
    "unknown_group": "of a group that nobody knows",
    "no_group": "of a user who belongs nowhere yet",
    "ambiguous_group": "of a user of several customers, without a group",
    "unknown_user": "counted for the customer, of a person not known yet",
}


class HoldingController(Controller):
    """What belongs to nobody yet."""

    path = "/data/holding"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_IMPORTS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """List groups with what waits for them; the chosen one with customers that it may be."""
        ignored = text(desk.query, "show") == "ignored"
        chosen = (text(desk.query, "source"), text(desk.query, "group", 500))
        search = text(desk.query, "q")
        async with desk.reading() as session:
            groups = await load_held_groups(session, ignored=ignored)
            linked = await load_linked_groups(session)
            reasons = await load_reasons(session)
            candidates = await find_candidates(session, search) if search else []
        return desk.page(
            "holding.html",
            groups=groups,
            linked=linked,
            reasons=reasons,
            reason_words=REASONS,
            ignored=ignored,
            chosen=chosen if all(chosen) else None,
            search=search,
            candidates=candidates,
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 300),
        )

    @post("/{act:str}", opt=needs(Permission.MEND_ROWS))
    async def act(self, desk: NamedDependency[Desk], act: FromPath[str]) -> Response[None]:
        """Link, create, ignore or take back."""
        form = await desk.request.form()
        try:
            async with desk.database.transaction() as session:
                said = await _act(session, desk, act, form)
                await announce_change(session)
        except (ConflictError, InvalidInputError) as error:
            return desk.go("/data/holding?" + urlencode({"problem": str(error)}))
        return desk.go("/data/holding?" + urlencode({"said": said}))


async def _act(session: Session, desk: Desk, act: str, form: Mapping[str, object]) -> str:
    group = GroupKey(str(form.get("source") or ""), str(form.get("group") or ""))
    said = Said(str(desk.user.id), desk.now, desk.wall)
    if act == "link":
        await link_group(session, group, _customer(form), said)
        return f"{group.key} is linked; its events are counted now."
    if act == "create":
        await create_customer_of(session, group, said)
        return f"{group.key} is a customer now; its events are counted."
    if act == "ignore":
        await ignore_group(session, group, said)
        return f"{group.key} is ignored; its events are kept."
    if act == "unlink":
        await unlink_group(session, group, said)
        return f"{group.key} waits again."
    raise NotFoundError(what="act on a group", key=act)


def _customer(form: Mapping[str, object]) -> UUID:
    try:
        return UUID(str(form.get("customer") or ""))
    except ValueError:
        raise InvalidInputError(field="customer", reason="choose one of the customers found") from None
