"""Signals of the tenant's own: written, tried and changed in the browser."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template
from litestar.status_codes import HTTP_200_OK, HTTP_422_UNPROCESSABLE_ENTITY

from api.guards import needs
from api.web.desk import DESK, Desk
from domain.errors import InvalidInputError
from domain.permissions import Permission
from domain.signal_fields import SIGNAL_FIELDS
from domain.signal_own import OwnSignal, OwnSignalDocument, read_document
from domain.vocabulary import Severity
from models.changes import announce_change
from models.own_signals import delete_own_signal, get_own_signal, save_own_signal
from models.plain_yaml import YamlRead, write_plain
from models.scores import load_policy
from models.signal_replay import Preview, preview

EXAMPLE = """all:
  - field: tickets_open
    at_least: 3
  - field: days_to_renewal
    at_most: 60
"""
EMPTY = {"key": "", "title": "", "condition": "", "severity": "medium"}
"""What a form that lacks fields is shown again with."""
TYPES = {int: "number", float: "number", str: "text", bool: "yes or no"}


class OwnSignalController(Controller):
    """Read by everyone who sees customers; changed by those who may edit policies."""

    path = "/signals/own"
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.EDIT_POLICIES))
    async def new(self, desk: NamedDependency[Desk]) -> Template:
        """Show an empty form."""
        async with desk.reading():
            written = {"key": "", "title": "", "condition": EXAMPLE, "severity": "medium", "enabled": True}
            return _page(desk, written)

    @post("/", opt=needs(Permission.EDIT_POLICIES))
    async def save(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Keep what the form says, or show it again with what is wrong."""
        written = dict(await desk.request.form())
        try:
            document = read_form(written)
            async with desk.database.transaction() as session:
                await save_own_signal(session, document, desk.user.id, desk.now)
                await announce_change(session)
        except InvalidInputError as error:
            async with desk.reading():
                return _refused(desk, written, error)
        return desk.go("/signals?said=Saved.+The+next+look+at+each+customer+uses+it.")

    @post("/preview", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def try_out(self, desk: NamedDependency[Desk]) -> Template:
        """Play the last 90 days back with the condition as it stands in the form."""
        written = dict(await desk.request.form())
        async with desk.reading() as session:
            try:
                own = read_form(written).read()
            except InvalidInputError as error:
                return _refused(desk, written, error)
            tried = OwnSignal(own.key, own.title, own.condition, own.severity)
            seen = await preview(session, await load_policy(session), (tried,), desk.now)
        return _page(desk, written, seen=seen)

    @get("/{key:str}", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Template:
        """Show one as it was written."""
        async with desk.reading() as session:
            document = await get_own_signal(session, key)
        shown = document.model_dump(mode="json")
        shown["condition"] = write_plain(document.condition)
        return _page(desk, shown, known=True)

    @post("/{key:str}/delete", opt=needs(Permission.EDIT_POLICIES))
    async def delete(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Response[None]:
        """Remove one; what it has open ends with the next look."""
        async with desk.database.transaction() as session:
            await delete_own_signal(session, key)
            await announce_change(session)
        return desk.go("/signals?said=Deleted.+What+it+had+open+ends+with+the+next+look.")


def _page(
    desk: Desk,
    written: Mapping[str, Any],
    *,
    problem: str = "",
    seen: Preview | None = None,
    known: bool = False,
) -> Template:
    fields = [(name, TYPES[field.type], field.meaning, field.needs) for name, field in SIGNAL_FIELDS.items()]
    return desk.page(
        "own_signal.html",
        written={**EMPTY, **written},
        problem=problem,
        seen=seen,
        known=known or bool(written.get("known")),
        fields=fields,
        severities=Severity,
    )


def _refused(desk: Desk, written: Mapping[str, Any], error: InvalidInputError) -> Template:
    """Show the form again with what is wrong, under the status that says so."""
    page = _page(desk, written, problem=str(error))
    page.status_code = HTTP_422_UNPROCESSABLE_ENTITY
    return page


def read_form(form: Mapping[str, Any]) -> OwnSignalDocument:
    """Return what the form describes; raises InvalidInputError naming the field and what is wrong."""
    read = YamlRead(str(form.get("condition") or ""))
    if read.problems:
        raise InvalidInputError(field="condition", reason=str(read.problems[0]))
    condition = read.data
    if not isinstance(condition, dict):
        raise InvalidInputError(
            field="condition", reason="it is a tree that begins with all, any, not or field"
        )
    return read_document(
        {
            "key": str(form.get("key") or "").strip(),
            "title": str(form.get("title") or ""),
            "condition": condition,
            "severity": str(form.get("severity") or "medium"),
            "enabled": bool(form.get("enabled")),
        }
    )
