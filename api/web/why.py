"""Why a playbook acted for a customer, or did not: one question, one page."""

import datetime as dt
import uuid

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from api.guards import needs
from api.web import sentences
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.permissions import Permission
from models.views.playbooks import load_playbooks
from models.views.why import customer_name, load_why


class WhyController(Controller):
    """The question, with the answer once a playbook is chosen."""

    path = "/customers"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/{customer_id:uuid}/why")
    async def show(self, desk: NamedDependency[Desk], customer_id: FromPath[uuid.UUID]) -> Template:
        """Show what was decided about a playbook, on a day or ever, and what stands against a run now."""
        key, day = text(desk.query, "playbook"), _day(text(desk.query, "on"))
        async with desk.reading() as session:
            playbooks = await load_playbooks(session)
            why = await load_why(session, customer_id, key, day, desk.now) if key else None
            customer = why.customer if why is not None else await customer_name(session, customer_id)
        return desk.page(
            "why.html",
            customer_id=customer_id,
            customer=customer,
            playbooks=playbooks,
            chosen=key,
            day=day,
            why=why,
            sentences=sentences,
        )


def _day(written: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(written) if written else None
    except ValueError:
        return None
