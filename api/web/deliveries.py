"""What providers pushed: a list by state, one delivery with its body, and reading it again."""

import uuid
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, chosen, text
from domain.permissions import Permission
from models.deliveries import DeliveryState, replay_delivery, replay_unclean
from models.resources.deliveries import count_by_state, list_deliveries, load_body, load_delivery

PLACE = "/webhook-deliveries"
PAGE_SIZE = 50


class DeliveryController(Controller):
    """Deliveries of connected providers."""

    path = PLACE
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_IMPORTS))
    async def show_all(self, desk: NamedDependency[Desk]) -> Template:
        """List deliveries in the chosen states, the newest first."""
        states, source = chosen(desk.query, "state", DeliveryState), text(desk.query, "source")
        cursor = text(desk.query, "after", 400) or None
        async with desk.reading() as session:
            counts = await count_by_state(session, source or None)
            page = await list_deliveries(session, source or None, states, cursor, PAGE_SIZE)
        address = ListAddress(PLACE, {"state": [each.value for each in states], "source": source})
        return desk.page(
            "deliveries.html",
            deliveries=page.rows,
            next=page.next,
            counts=counts,
            states=DeliveryState,
            address=address,
            source=source,
            flash=text(desk.query, "said", 200),
        )

    @get("/{delivery_id:uuid}", opt=needs(Permission.READ_IMPORTS))
    async def show(self, desk: NamedDependency[Desk], delivery_id: FromPath[uuid.UUID]) -> Template:
        """Show one delivery; its body only to those who may see raw rows."""
        async with desk.reading() as session:
            delivery = await load_delivery(session, delivery_id)
            body = await load_body(session, delivery_id) if desk.may(Permission.READ_RAW_ROWS) else None
        return desk.page("delivery.html", delivery=delivery, body=body, flash=text(desk.query, "said", 200))

    @post("/{delivery_id:uuid}/replay", opt=needs(Permission.MEND_ROWS))
    async def replay(self, desk: NamedDependency[Desk], delivery_id: FromPath[uuid.UUID]) -> Response[None]:
        """Have one delivery read again."""
        async with desk.database.transaction() as session:
            await replay_delivery(session, delivery_id, desk.wall)
        return desk.go(f"{PLACE}/{delivery_id}?{urlencode({'said': 'It is being read again.'})}")

    @post("/replay", opt=needs(Permission.MEND_ROWS))
    async def replay_all(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Have everything read again that failed or left something in quarantine."""
        form = await desk.request.form()
        async with desk.database.transaction() as session:
            count = await replay_unclean(session, desk.wall, str(form.get("source") or "") or None)
        said = f"{count} {'delivery is' if count == 1 else 'deliveries are'} being read again."
        return desk.go(f"{PLACE}?{urlencode({'said': said})}")
