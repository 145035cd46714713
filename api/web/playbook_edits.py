"""Editing a playbook in the browser: a text, its problems, what it would mean, and publishing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template
from litestar.status_codes import HTTP_200_OK, HTTP_412_PRECONDITION_FAILED, HTTP_422_UNPROCESSABLE_ENTITY

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import number
from domain.edit_impact import Choices, Effect, OnOpen
from domain.errors import EverstayError, InvalidInputError
from domain.permissions import Permission
from domain.playbook import Playbook
from domain.playbook_diff import Change, differences
from domain.playbook_problems import Problem
from integrations.own_step_packages import find_own_steps
from models.database import Session
from models.playbook_edits import begin_edit, finish_edits, preview_edit
from models.playbook_surroundings import check_text, load_surroundings
from models.playbook_yaml import write_yaml
from models.playbooks import Author, PlaybookShelf, StaleEditError
from models.resources.playbooks import StoredVersion, archive, find_current, load_version

EDIT = needs(Permission.EDIT_POLICIES)
STARTER = """key: my-playbook
name: My playbook
description: >-
  What it is for, and what makes it stop.
motion: retention
priority: 50
trigger: {tier: high}
steps:
  - id: tell-owner
    notify:
      title: "$customer needs you"
      body: "Churn risk is high; it comes from $reason."
  - id: wait
    wait: {duration: 2d}
"""
WORDS = {
    Effect.UNAFFECTED: "Nothing ahead of them changes",
    Effect.RETIMED: "Only times ahead change",
    Effect.CHANGED: "Later steps or rules differ",
    Effect.STRANDED: "Where they stand is gone, or cannot go on",
}


@dataclass(frozen=True)
class Written:
    """What a form holds."""

    text: str
    seen: int
    note: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> "Written":
        """Read it; a form that lacks fields is an empty text."""
        seen = str(form.get("seen") or "0")
        text = str(form.get("text") or "").replace("\r\n", "\n")
        return cls(text, int(seen) if seen.isdecimal() else 0, str(form.get("note") or "")[:500])


class PlaybookEditController(Controller):
    """For those who may edit policies."""

    path = "/playbooks"
    dependencies = DESK
    include_in_schema = False
    opt = EDIT

    @get("/new")
    async def new(self, desk: NamedDependency[Desk]) -> Template:
        """Show an empty form with the smallest document that works."""
        async with desk.reading():
            return _form(desk, Written(STARTER, 0), None)

    @get("/{key:str}/edit")
    async def edit(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Template:
        """Show the current document to be edited, or an older one to be published again."""
        async with desk.reading() as session:
            chosen = await load_version(session, key, number(desk.query, "from") or None)
        return _form(desk, Written(write_yaml(chosen.playbook), chosen.current), key)

    @post("/check", status_code=HTTP_200_OK)
    async def check(self, desk: NamedDependency[Desk]) -> Template:
        """Show the form again with every problem, or with what would change."""
        written = Written.of(await desk.request.form())
        async with desk.reading() as session:
            playbook, problems = check_text(written.text, await load_surroundings(session, find_own_steps()))
            current = await find_current(session, playbook.key) if playbook is not None else None
        changes = differences(current.playbook, playbook) if playbook is not None and current else ()
        key = current.key if current is not None else None
        return _form(desk, written, key, problems, changes, checked=playbook is not None)

    @post("/review", status_code=HTTP_200_OK)
    async def review(self, desk: NamedDependency[Desk]) -> Template:
        """Show what publishing would mean for open runs, with a choice for each kind of them."""
        written = Written.of(await desk.request.form())
        async with desk.reading() as session:
            playbook, problems = check_text(written.text, await load_surroundings(session, find_own_steps()))
            if playbook is None:
                return _refused(_form(desk, written, None, problems))
            return await _dialog(session, desk, written, playbook)

    @post("/publish")
    async def publish(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Publish what was reviewed, and carry out the choices."""
        form = await desk.request.form()
        written = Written.of(form)
        async with desk.reading() as session:
            playbook, problems = check_text(written.text, await load_surroundings(session, find_own_steps()))
            if playbook is None:
                return _refused(_form(desk, written, None, problems))
            try:
                choices = choices_in(form)
                author = Author(desk.user.id, written.note)
                async with session.begin_nested():  # a refusal leaves nothing behind
                    done = await begin_edit(session, desk.now, playbook, choices, author, seen=written.seen)
            except (StaleEditError, InvalidInputError) as error:
                return await _again(session, desk, written, playbook, error)
        await finish_edits(desk.database, desk.clock, playbook.key)
        said = f"Published+version+{done.version}." if done.is_new else "It+says+the+same+as+before."
        return desk.go(f"/playbooks/{playbook.key}?said={said}")

    @post("/{key:str}/archive")
    async def archive(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Response[None]:
        """Open no more runs of it, or take it back into use."""
        restores = bool((await desk.request.form()).get("restore"))
        async with desk.database.transaction() as session:
            await archive(session, key, None if restores else desk.now)
        said = "It+is+in+use+again." if restores else "Archived.+Open+runs+go+on."
        return desk.go(f"/playbooks/{key}?said={said}")


def choices_in(form: Mapping[str, Any]) -> Choices:
    """Return what the form says of open runs; raises InvalidInputError for a word that is no choice."""
    given = {effect: str(form.get(effect.value) or "pin") for effect in Effect}
    wrong = [value for value in given.values() if value not in set(OnOpen)]
    if wrong:
        raise InvalidInputError(field="choice", reason=f"{wrong[0]!r} is none of {', '.join(OnOpen)}")
    return Choices(OnOpen.PIN, {effect: OnOpen(value) for effect, value in given.items()})


def _form(
    desk: Desk,
    written: Written,
    key: str | None,
    problems: tuple[Problem, ...] = (),
    changes: tuple[Change, ...] = (),
    *,
    checked: bool = False,
) -> Template:
    return desk.page(
        "playbook_edit.html", written=written, key=key, problems=problems, changes=changes, checked=checked
    )


def _refused(page: Template, status: int = HTTP_422_UNPROCESSABLE_ENTITY) -> Template:
    page.status_code = status
    return page


async def _dialog(
    session: Session, desk: Desk, written: Written, playbook: Playbook, problem: str = ""
) -> Template:
    current: StoredVersion | None = await find_current(session, playbook.key)
    preview = await preview_edit(session, PlaybookShelf(), playbook, desk.now)
    return desk.page(
        "playbook_publish.html",
        written=written,
        document=playbook,
        current=current,
        changes=differences(current.playbook, playbook) if current is not None else (),
        preview=preview,
        effects=WORDS,
        stranded=Effect.STRANDED,
        problem=problem,
    )


async def _again(
    session: Session, desk: Desk, written: Written, playbook: Playbook, error: EverstayError
) -> Template:
    page = await _dialog(session, desk, written, playbook, str(error))
    is_stale = isinstance(error, StaleEditError)
    return _refused(page, HTTP_412_PRECONDITION_FAILED if is_stale else HTTP_422_UNPROCESSABLE_ENTITY)
