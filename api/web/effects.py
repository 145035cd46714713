"""The effect ledger: what nobody knows first, everything by filter, and one effect with its evidence."""

import datetime as dt
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.settling import check_may_settle, may_settle
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, Query, chosen, key, text
from api.web.run_control import hand_at
from domain.errors import ConflictError
from domain.permissions import Permission
from domain.vocabulary import EffectState
from models.effect_answers import answer_effect
from models.resources.effects import (
    EffectFilter,
    count_by_state,
    kinds_of_effects,
    list_effects,
    load_effect,
    load_evidence,
    unknown_effects,
)

PLACE = "/effects"
PAGE_SIZE = 50
WORDS = ("kind", "provider", "since", "until", "search")


class EffectPages(Controller):
    """For whoever asks what has left."""

    path = PLACE
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_RUNS)

    @get("/")
    async def show_all(self, desk: NamedDependency[Desk]) -> Template:
        """List effects, those of which nobody knows above all others."""
        wanted = _wanted(desk.query)
        cursor = text(desk.query, "after", 400) or None
        async with desk.reading() as session:
            unknown = await unknown_effects(session, desk.wall)
            page = await list_effects(session, wanted, cursor, PAGE_SIZE)
            counts = await count_by_state(session)
            kinds, providers = await kinds_of_effects(session)
        given = {name: text(desk.query, name, 300) for name in WORDS}
        customer = str(wanted.customer_id or "")
        state = {"state": [each.value for each in wanted.states], "customer": customer, **given}
        return desk.page(
            "effects.html",
            unknown=unknown,
            effects=page.rows,
            next=page.next,
            counts=counts,
            kinds=kinds,
            providers=providers,
            states=EffectState,
            given=given,
            customer=customer,
            address=ListAddress(PLACE, state),
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 500),
        )

    @get("/{delivery_id:str}", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, desk: NamedDependency[Desk], delivery_id: FromPath[str]) -> Template:
        """Show one effect: claim, attempts, the provider's word, what was decided, what it belongs to."""
        async with desk.reading() as session:
            effect = await load_effect(session, delivery_id)
            evidence = await load_evidence(session, effect)
            may = await may_settle(session, desk.request.user, effect)
        lease = effect["lease_until"]
        is_lost = effect["state"] is EffectState.CLAIMED and lease is not None and lease <= desk.wall
        return desk.page(
            "effect.html",
            effect=effect,
            evidence=evidence,
            is_unknown=effect["state"] is EffectState.UNCERTAIN or is_lost,
            may_settle=may,
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 500),
        )

    @post("/{delivery_id:str}/settle", opt=needs(Permission.SETTLE_EFFECTS))
    async def settle(self, desk: NamedDependency[Desk], delivery_id: FromPath[str]) -> Response[None]:
        """Take a person's word on what nobody knows."""
        happened = (await desk.request.form()).get("happened") == "yes"
        try:
            async with desk.database.transaction() as session:
                effect = await load_effect(session, delivery_id)
                await check_may_settle(session, desk.request.user, effect)
                await answer_effect(session, effect["key"], hand_at(desk), happened=happened)
        except ConflictError as error:
            return desk.go(f"{PLACE}/{delivery_id}?{urlencode({'problem': str(error)})}")
        said = urlencode({"said": "Your word is kept; nothing is repeated."})
        return desk.go(f"{PLACE}/{delivery_id}?{said}")


def _wanted(query: Query) -> EffectFilter:
    return EffectFilter(
        chosen(query, "state", EffectState),
        text(query, "kind") or None,
        text(query, "provider") or None,
        key(query, "customer"),
        _day(text(query, "since")),
        _day(text(query, "until")),
        text(query, "search", 300) or None,
    )


def _day(written: str) -> dt.datetime | None:
    """Return the beginning of a UTC day, None for anything else."""
    try:
        return dt.datetime.combine(dt.date.fromisoformat(written), dt.time(), dt.UTC)
    except ValueError:
        return None
