"""The quarantine page: what could not be stored, with why, and what a person does about it."""

import uuid
from collections.abc import Mapping
from urllib.parse import urlencode

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from activities.import_replay import Correction, replay, replay_many
from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, Query, key, number, text
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.permissions import Permission
from integrations.tabular import FileReader
from integrations.tracking.kept import KeptMessages
from models.changes import announce_change
from models.quarantine import QuarantineFilter, dismiss_row, dismiss_rows
from models.views.quarantine import load_quarantine, load_reasons

MEND = needs(Permission.MEND_ROWS)
CELL = "cell-"
_LONGEST = 10_000


class QuarantineController(Controller):
    """Rows that wait, and those that were settled."""

    path = "/quarantine"
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_IMPORTS))
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """List rows with where they stood and why; the cells only for those who may see them."""
        settled, chosen = text(desk.query, "show") == "settled", chosen_in(desk.query)
        async with desk.reading() as session:
            page = await load_quarantine(session, number(desk.query, "page") or 1, chosen, settled=settled)
            groups = await load_reasons(session)
        state = {"show": "settled" if settled else "", **pairs(chosen)}
        return desk.page(
            "quarantine.html",
            page=page,
            groups=groups,
            chosen=chosen,
            settled=settled,
            address=ListAddress("/quarantine", state),
            pairs=pairs(chosen),
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 400),
        )

    @post("/{row_id:uuid}/replay", opt=MEND)
    async def replay_row(self, desk: NamedDependency[Desk], row_id: FromPath[uuid.UUID]) -> Response[None]:
        """Try one row again, with its cells as the form has them."""
        form = await desk.request.form()
        cells = {
            str(name).removeprefix(CELL): str(value)[:_LONGEST]
            for name, value in form.items()
            if str(name).startswith(CELL)
        }
        whole = str(form.get("text") or "")[:_LONGEST] or None
        try:
            correction = Correction(None, cells or None, whole)
            done = await replay(desk.database, FileReader(), row_id, correction, desk.wall, KeptMessages())
        except (ConflictError, InvalidInputError, NotFoundError) as error:
            return back(desk, form, problem=str(error))
        if done.still is not None:
            place = f"{done.row.file}:{done.row.line}"
            return back(desk, form, problem=f"{place} is still wrong: {done.still.field} {done.still.reason}")
        return back(desk, form, said=f"{done.row.file}:{done.row.line} is stored now.")

    @post("/{row_id:uuid}/dismiss", opt=MEND)
    async def dismiss(self, desk: NamedDependency[Desk], row_id: FromPath[uuid.UUID]) -> Response[None]:
        """Put one row aside for good."""
        form = await desk.request.form()
        try:
            async with desk.database.transaction() as session:
                await dismiss_row(session, row_id, desk.wall)
                await announce_change(session)
        except (ConflictError, NotFoundError) as error:
            return back(desk, form, problem=str(error))
        return back(desk, form, said="Dismissed.")

    @post("/replay", opt=MEND)
    async def replay_all(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Try all rows that fit again, as they came."""
        form = await desk.request.form()
        chosen = chosen_in_form(form)
        done = await replay_many(desk.database, FileReader(), chosen, desk.wall, KeptMessages())
        rest = " More wait; replay again." if done.more else ""
        return back(desk, form, said=f"{done.replayed} stored, {done.failed} still wrong.{rest}")

    @post("/dismiss", opt=MEND)
    async def dismiss_all(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Put all rows that fit aside for good."""
        form = await desk.request.form()
        chosen = chosen_in_form(form)
        if chosen.is_empty:
            return back(desk, form, problem="Choose which rows first.")
        async with desk.database.transaction() as session:
            count = await dismiss_rows(session, chosen, desk.wall)
            await announce_change(session)
        return back(desk, form, said=f"{count} dismissed.")


def chosen_in(query: Query) -> QuarantineFilter:
    """Return the filter of an address."""
    names = ("source", "file", "kind", "field")
    source, file, kind, field = (text(query, name, 200) or None for name in names)
    return QuarantineFilter(source, file, kind, field, key(query, "import"))


def chosen_in_form(form: Mapping[str, object]) -> QuarantineFilter:
    """Return the filter of a form."""
    told = {name: str(form.get(name) or "") or None for name in ("source", "file", "kind", "field")}
    try:
        run = uuid.UUID(str(form.get("import") or ""))
    except ValueError:
        run = None
    return QuarantineFilter(told["source"], told["file"], told["kind"], told["field"], run)


def pairs(chosen: QuarantineFilter) -> dict[str, str]:
    """Return a filter as the parameters of an address."""
    told = {
        "source": chosen.source_id,
        "file": chosen.file,
        "kind": chosen.kind,
        "field": chosen.field,
        "import": chosen.import_id,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def back(desk: Desk, form: Mapping[str, object], **told: str) -> Response[None]:
    """Go back to the list as it was, with what to tell there."""
    kept = pairs(
        chosen_in_form({name[5:]: value for name, value in form.items() if name.startswith("back-")})
    )
    return desk.go(f"/quarantine?{urlencode({**kept, **told})}")
