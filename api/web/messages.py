"""The message log: what left and what became of it, what waits and why, and what was not sent."""

import datetime as dt
import uuid

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from api.guards import needs
from api.web import sentences
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, chosen, key, text
from domain.message_log import MessageView
from domain.permissions import Permission
from domain.sending import domain_of
from domain.vocabulary import Purpose, TouchpointState
from models.resources.messages import (
    MessageFilter,
    list_late,
    list_messages,
    list_not_sent,
    load_events,
    load_message,
    load_reasons_of,
)
from models.views.sending import load_sending

PLACE = "/messages"
PAGE_SIZE = 50
LISTS = {
    MessageView.SENT: list_messages,
    MessageView.LATE: list_late,
    MessageView.NOT_SENT: list_not_sent,
}
STATES = (
    TouchpointState.CLAIMED,
    TouchpointState.SENT,
    TouchpointState.DELIVERED,
    TouchpointState.OPENED,
    TouchpointState.CLICKED,
    TouchpointState.BOUNCED,
    TouchpointState.SUPPRESSED,
    TouchpointState.FAILED,
    TouchpointState.UNCERTAIN,
)


class MessagePage(Controller):
    """Every e-mail, and one of them."""

    path = PLACE
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/")
    async def show_all(self, desk: NamedDependency[Desk]) -> Template:
        """List one part of the log, with how much the sender domains may still send."""
        view = next(iter(chosen(desk.query, "show", MessageView)), MessageView.SENT)
        wanted, day, until = _filter(desk), text(desk.query, "since", 10), text(desk.query, "until", 10)
        cursor = text(desk.query, "after", 400) or None
        async with desk.reading() as session:
            page = await LISTS[view](session, wanted, cursor, PAGE_SIZE)
            sending = await load_sending(session, domain_of(desk.settings.sender_email), desk.now)
        told: dict[str, list[str] | str] = {
            "show": view.value if view is not MessageView.SENT else "",
            "q": wanted.search,
            "state": [each.value for each in wanted.states],
            "purpose": [each.value for each in wanted.purposes],
            "customer": str(wanted.customer_id or ""),
            "since": day,
            "until": until,
        }
        return desk.page(
            "messages.html",
            view=view,
            views=MessageView,
            rows=page.rows,
            next=page.next,
            filter=wanted,
            since=day,
            until=until,
            states=STATES,
            purposes=Purpose,
            sending=sending,
            address=ListAddress(PLACE, told),
            sentences=sentences,
        )

    @get("/{message_id:uuid}")
    async def show(self, desk: NamedDependency[Desk], message_id: FromPath[uuid.UUID]) -> Template:
        """Show one message with its timeline and the decisions behind it."""
        async with desk.reading() as session:
            message = await load_message(session, message_id)
            events = await load_events(session, message["delivery_id"])
            reasons = await load_reasons_of(session, message)
        return desk.page("message.html", message=message, events=events, reasons=reasons, sentences=sentences)


def _filter(desk: Desk) -> MessageFilter:
    """Return what the address asks for; days are those of the reader."""
    until = _day(desk, "until")
    return MessageFilter(
        search=text(desk.query, "q", 200),
        states=chosen(desk.query, "state", TouchpointState),
        purposes=chosen(desk.query, "purpose", Purpose),
        customer_id=key(desk.query, "customer"),
        since=_day(desk, "since"),
        until=until + dt.timedelta(days=1) if until is not None else None,
    )


def _day(desk: Desk, name: str) -> dt.datetime | None:
    """Return when a day begins on the reader's clock, None where it is no date."""
    try:
        given = dt.date.fromisoformat(text(desk.query, name, 10))
    except ValueError:
        return None
    return dt.datetime.combine(given, dt.time(), desk.say.zone)
