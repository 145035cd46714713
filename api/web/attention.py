"""The attention table: what a list says to look at first, and the form that changes it."""

from collections.abc import Mapping
from urllib.parse import quote

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Response, Template
from pydantic import ValidationError

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.attention import DEFAULT_ATTENTION, ArrBand, AttentionPolicy, AttentionRule, Standing
from domain.errors import InvalidInputError
from domain.permissions import Permission
from domain.vocabulary import Attention
from models.attention import load_attention, save_attention
from models.changes import announce_change

SPARE_ROWS = 2
"""Empty rows at the end of the form, to add rules with."""
MOST_ROWS = 22


class AttentionController(Controller):
    """Read by everyone who sees customers; changed by those who may edit policies."""

    path = "/attention"
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show the table, as a form where it may be changed."""
        async with desk.reading() as session:
            policy = await load_attention(session)
        return desk.page(
            "attention.html",
            policy=policy,
            spare=SPARE_ROWS,
            bands=ArrBand,
            standings=Standing,
            attentions=Attention,
            is_default=policy == DEFAULT_ATTENTION,
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 300),
        )

    @post("/", opt=needs(Permission.EDIT_POLICIES))
    async def save(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Put the whole table in force, or say what is wrong with it."""
        form = await desk.request.form()
        try:
            policy = DEFAULT_ATTENTION if form.get("reset") else read_policy(form)
        except InvalidInputError as error:
            return desk.go(f"/attention?problem={quote(str(error))}")
        async with desk.database.transaction() as session:
            await save_attention(session, policy, desk.user.id, desk.now)
            await announce_change(session)
        return desk.go("/attention?said=Saved.+Lists+use+it+from+now+on.")


def read_policy(form: Mapping[str, object]) -> AttentionPolicy:
    """Return the table that the form describes; a row without a reason is left out."""
    rules = [_read_rule(form, place) for place in range(MOST_ROWS) if _field(form, "reason", place)]
    try:
        threshold = _field(form, "high_arr").replace(",", "").replace(" ", "")
        return AttentionPolicy.model_validate({"high_arr": threshold, "rules": rules})
    except ValidationError as error:
        first = error.errors()[0]
        field = "High ARR" if "high_arr" in first["loc"] else "The table"
        raise InvalidInputError(field=field, reason=first["msg"].lower()) from None


def _field(form: Mapping[str, object], name: str, place: int | None = None) -> str:
    return str(form.get(name if place is None else f"{name}-{place}") or "").strip()


def _read_rule(form: Mapping[str, object], place: int) -> AttentionRule:
    cells = {name: _field(form, name, place) or None for name in ("arr", "standing", "attention", "reason")}
    days = _field(form, "renewal", place) or None
    try:
        return AttentionRule.model_validate({**cells, "renewal_within_days": days})
    except ValidationError as error:
        field = f"Row {place + 1}"
        raise InvalidInputError(field=field, reason=error.errors()[0]["msg"].lower()) from None
