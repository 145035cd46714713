"""Pages for the people who get our mail. The signed token in a link says who they are; nobody signs in."""

import uuid
from dataclasses import dataclass
from typing import Any

from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK

from api.callers import Caller
from api.guards import PUBLIC, Access, needs
from domain.errors import NotFoundError
from domain.links import LinkMaker
from domain.topics import TOPIC_WORDS, TOPICS
from domain.vocabulary import Purpose
from models.clock import StoredClock
from models.database import Database
from models.opt_outs import OPTIONAL, OWN_PAGE, consents_of, record_consent
from models.recipients import ask_for_a_call, load_recipient
from models.topic_choices import choose_topics, refused_topics
from settings import Settings

SIGNED = needs(Access.SIGNATURE)
"""The token is the signature. It is also why mail programs may POST without having seen a form (RFC 8058)."""

RecipientRequest = Request[Caller, None, State]


def _contact(token: FromPath[str], settings: NamedDependency[Settings]) -> uuid.UUID:
    found = LinkMaker(settings.base_url, settings.signing_key).contact_of(token)
    if found is None:
        raise NotFoundError(what="person", key="this link names")
    return found


@dataclass(frozen=True)
class OptOut:
    """Who opts out, and of which classes of mail."""

    contact_id: uuid.UUID
    purposes: tuple[Purpose, ...]


def _opt_out(token: FromPath[str], settings: NamedDependency[Settings]) -> OptOut:
    found = LinkMaker(settings.base_url, settings.signing_key).unsubscribe_of(token)
    if found is None or found[1] is Purpose.TRANSACTIONAL:
        raise NotFoundError(what="person", key="this link names")
    contact_id, purpose = found
    return OptOut(contact_id, OPTIONAL if purpose is None else (purpose,))


class RecipientController(Controller):
    """Opting out, choosing, and asking for a call."""

    opt = PUBLIC
    include_in_schema = False
    dependencies = {  # noqa: RUF012  as Litestar declares it
        "contact_id": Provide(_contact, sync_to_thread=False),
        "opt_out": Provide(_opt_out, sync_to_thread=False),
    }

    @get("/unsubscribe/{token:str}")
    async def ask_unsubscribe(
        self, opt_out: NamedDependency[OptOut], database: NamedDependency[Database]
    ) -> Template:
        """Ask: programs follow links too."""
        async with database.transaction() as session:
            person = await load_recipient(session, opt_out.contact_id)
        return _page("unsubscribe", person=person, purposes=opt_out.purposes)

    @post("/unsubscribe/{token:str}", opt=SIGNED, status_code=HTTP_200_OK)
    async def unsubscribe(
        self,
        opt_out: NamedDependency[OptOut],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Template:
        """End the mail of the link's classes, at once and without another page (RFC 8058)."""
        choices = [(purpose, False) for purpose in opt_out.purposes]
        async with database.transaction() as session:
            await load_recipient(session, opt_out.contact_id)
            now = clock.now()
            await record_consent(session, opt_out.contact_id, choices, OWN_PAGE, now, now, clock.wall_now())
        return _page("unsubscribed")

    @get("/preferences/{token:str}")
    async def show_preferences(
        self, contact_id: NamedDependency[uuid.UUID], database: NamedDependency[Database]
    ) -> Template:
        """Show what they have chosen."""
        async with database.transaction() as session:
            person = await load_recipient(session, contact_id)
            chosen = await consents_of(session, contact_id)
            refused = await refused_topics(session, contact_id)
        return _page(
            "preferences",
            person=person,
            chosen=chosen,
            optional=OPTIONAL,
            refused=refused,
            topics=TOPIC_WORDS,
        )

    @post("/preferences/{token:str}", opt=SIGNED, status_code=HTTP_200_OK)
    async def choose(
        self,
        request: RecipientRequest,
        contact_id: NamedDependency[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Template:
        """Keep their choice: classes of mail, and topics where the form showed them."""
        form = await request.form()
        wanted, topics = form.getall("purpose", []), form.getall("topic", [])
        choices = [(purpose, purpose.value in wanted) for purpose in OPTIONAL]
        async with database.transaction() as session:
            await load_recipient(session, contact_id)
            now, wall = clock.now(), clock.wall_now()
            await record_consent(session, contact_id, choices, OWN_PAGE, now, now, wall)
            if "shows_topics" in form:
                chosen = {topic for topic in TOPICS if topic.value in topics}
                await choose_topics(session, contact_id, chosen, now, wall)
        return _page("preferences_kept")

    @get("/talk/{token:str}")
    async def ask_talk(
        self, contact_id: NamedDependency[uuid.UUID], database: NamedDependency[Database]
    ) -> Template:
        """Offer a call."""
        async with database.transaction() as session:
            person = await load_recipient(session, contact_id)
        return _page("talk", person=person)

    @post("/talk/{token:str}", opt=SIGNED, status_code=HTTP_200_OK)
    async def talk(
        self,
        contact_id: NamedDependency[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Template:
        """Give their owner a task to call."""
        async with database.transaction() as session:
            person = await load_recipient(session, contact_id)
            await ask_for_a_call(session, person, clock.now(), clock.wall_now())
        return _page("talk_kept", person=person)


def _page(view: str, **context: Any) -> Template:
    return Template("recipient.html", context={"view": view, **context})
