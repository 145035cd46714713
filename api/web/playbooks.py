"""Playbooks as people read them: the list, one document with its drawing, and a dry run."""

import uuid
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.datastructures import MultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.trial_letters import Asked, send_test, show_letters
from api.web import sentences
from api.web.desk import DESK, Desk
from api.web.query import key as key_in
from api.web.query import number, text
from api.web.step_graph import draw, list_steps
from domain import playbook_words
from domain.documents import END
from domain.dry_run import Assumptions
from domain.durations import parse_duration
from domain.errors import ConflictError, MessageTemplateError, NotFoundError
from domain.permissions import Permission
from domain.playbook_diff import differences
from integrations.senders import email_sender
from models.database import Session
from models.dry_runs import DryRun, try_out
from models.playbook_yaml import write_yaml
from models.resources.playbooks import (
    StoredVersion,
    list_versions,
    load_version,
    names_of_customers,
    runs_by_step,
)
from models.resting import rests_now
from models.trial_letters import TrialLetter, trial_letters
from models.views.playbooks import load_playbook, load_playbooks

SHOWN_VERSIONS = 20
SPANS = ("", "4h", "1d", "2d", "5d", "14d")
ASSUMED = {"task": "task_done_after", "reply": "reply_after", "cause": "cause_gone_after"}


class PlaybookController(Controller):
    """The playbooks as they stand in the database."""

    path = "/playbooks"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_PLAYBOOKS)

    @get("/")
    async def show_all(self, desk: NamedDependency[Desk]) -> Template:
        """List playbooks with their runs by outcome."""
        async with desk.reading() as session:
            playbooks = await load_playbooks(session)
        return desk.page("playbooks.html", playbooks=playbooks)

    @get("/{key:str}")
    async def show(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Template:
        """Show one document: in words, drawn, with its runs and its versions."""
        async with desk.reading() as session:
            line = await load_playbook(session, key)
            chosen = await load_version(session, key, number(desk.query, "version") or None)
            runs = await runs_by_step(session, key)
            versions = (await list_versions(session, key))[:SHOWN_VERSIONS]
            before = await load_version(session, key, chosen.version - 1) if chosen.version > 1 else None
            resting = [one for one in await rests_now(session, desk.now) if one.key == key]
        playbook = chosen.playbook
        return desk.page(
            "playbook.html",
            playbook=line,
            document=playbook,
            shown=chosen,
            drawing=draw(playbook, runs),
            steps=list_steps(playbook, runs),
            standing=runs,
            versions=versions,
            changes=differences(before.playbook, playbook) if before is not None else (),
            said=playbook_words,
            end=END,
            sentences=sentences,
            resting=resting,
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 300),
        )

    @get("/{key:str}/document")
    async def document(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Template:
        """Show the YAML of a version."""
        async with desk.reading() as session:
            chosen = await load_version(session, key, number(desk.query, "version") or None)
        return desk.page("playbook_document.html", shown=chosen, yaml=write_yaml(chosen.playbook))

    @get("/{key:str}/try", opt=needs(Permission.READ_CUSTOMERS))
    async def try_out(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Template:
        """Show what would happen for a customer, under assumptions that can be switched."""
        customer, assumed = key_in(desk.query, "customer"), _assumed(desk)
        async with desk.reading() as session:
            chosen = await load_version(session, key, number(desk.query, "version") or None)
            customers = await names_of_customers(session)
            tried = await _tried(session, desk, chosen, customer, assumed)
            letters = await _letters(session, desk, chosen, customer)
        return desk.page(
            "playbook_try.html",
            shown=chosen,
            customers=customers,
            customer=customer,
            tried=tried,
            letters=show_letters(desk.settings, letters, desk.user, desk.clock),
            flash=text(desk.query, "said", 300),
            spans=SPANS,
            assumed={name: text(desk.query, name) for name in ASSUMED},
            say_span=sentences.span,
        )

    @post("/{key:str}/test-letter", opt=needs(Permission.DO_WORK))
    async def send_test(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Response[None]:
        """Send a test copy of one letter to whoever is signed in, never to a customer."""
        given = (await desk.request.form()).multi_items()
        form = MultiDict([(name, str(value)) for name, value in given])
        customer, version = key_in(form, "customer"), number(form, "version")
        async with desk.database.transaction() as session:
            chosen = await load_version(session, key, version)
        if customer is None:
            raise NotFoundError(what="customer", key="chosen for the test copy")
        asked = Asked(desk.user, chosen.playbook, customer, text(form, "step"))
        try:
            sender = email_sender(desk.settings)
            said = await send_test(desk.database, desk.settings, sender, desk.clock, asked)
        except (ConflictError, MessageTemplateError, NotFoundError) as error:
            said = str(error)
        place = {"customer": customer, "version": chosen.version, "said": said}
        return desk.go(f"/playbooks/{key}/try?{urlencode(place)}")


async def _letters(
    session: Session, desk: Desk, chosen: StoredVersion, customer: uuid.UUID | None
) -> list[TrialLetter]:
    """Return the letters of the version for the chosen customer."""
    if customer is None:
        return []
    return await trial_letters(session, chosen.playbook, customer, desk.now)


async def _tried(
    session: Session, desk: Desk, chosen: StoredVersion, customer: uuid.UUID | None, assumed: Assumptions
) -> DryRun | None:
    if customer is None:
        return None
    return await try_out(session, chosen.playbook, customer, assumed, desk.now)


def _assumed(desk: Desk) -> Assumptions:
    given = {ASSUMED[name]: text(desk.query, name) for name in ASSUMED}
    return Assumptions(**{name: parse_duration(span) for name, span in given.items() if span in SPANS[1:]})
