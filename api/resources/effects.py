"""`/api/effects`: what was done to the world outside, and a person's word on what nobody knows."""

import datetime as dt
import uuid
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict

from api.guards import needs
from api.resources.pages import STATE, ApiRequest, Cursor, Limit, Page, hand_of, page_of, write_once
from api.resources.shapes import Shape
from api.settling import check_may_settle
from domain.permissions import Permission
from domain.vocabulary import EffectState
from models.clock import StoredClock
from models.database import Database, Session
from models.effect_answers import answer_effect
from models.resources.effects import EffectFilter, list_effects, load_effect, load_evidence

Word = Annotated[str | None, QueryParameter(pattern=r"^[\w .\-]{1,100}$")]
Search = Annotated[
    str | None,
    QueryParameter(max_length=300, description="How its key begins, or a delivery id."),
]


class Effect(Shape):
    """One effect. Its instants are of the machine's clock."""

    key: str
    delivery_id: str
    kind: str
    customer_id: uuid.UUID | None
    state: EffectState
    attempts: int
    lease_until: dt.datetime | None
    claimed_at: dt.datetime
    settled_at: dt.datetime | None
    provider: str
    provider_message_id: str | None


class EffectDetail(Effect):
    """One effect with everything that speaks of it. `error` is the provider's or a person's word."""

    error: str | None
    evidence: dict[str, Any]


class Settlement(BaseModel):
    """What somebody has found out."""

    model_config = ConfigDict(extra="forbid")

    happened: bool


def _wanted(
    states: Annotated[list[EffectState] | None, STATE] = None,
    kind: Word = None,
    provider: Word = None,
    customer_id: FromQuery[uuid.UUID | None] = None,
    since: FromQuery[dt.datetime | None] = None,
    until: FromQuery[dt.datetime | None] = None,
    search: Search = None,
) -> EffectFilter:
    return EffectFilter(states or [], kind, provider, customer_id, since, until, search)


class EffectController(Controller):
    """The ledger, by delivery id."""

    path = "/effects"
    dependencies = {"wanted": Provide(_wanted, sync_to_thread=False)}  # noqa: RUF012  as Litestar declares it
    opt = needs(Permission.READ_RUNS)
    tags = ["Runs"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        database: NamedDependency[Database],
        wanted: NamedDependency[EffectFilter],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Effect]:
        """List effects, the newest claim first. `state=uncertain` is what waits for a person's word."""
        async with database.transaction() as session:
            return page_of(Effect, await list_effects(session, wanted, cursor, limit))

    @get("/{delivery_id:str}", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, delivery_id: FromPath[str], database: NamedDependency[Database]) -> EffectDetail:
        """Return one effect with its evidence."""
        async with database.transaction() as session:
            return await _detail(session, delivery_id)

    @post("/{delivery_id:str}/settle", opt=needs(Permission.SETTLE_EFFECTS), status_code=HTTP_200_OK)
    async def settle(
        self,
        request: ApiRequest,
        delivery_id: FromPath[str],
        data: JSONBody[Settlement],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> EffectDetail:
        """Say of an uncertain effect whether it happened; it is never done again, and its run goes on."""

        async def write(session: Session) -> EffectDetail:
            effect = await load_effect(session, delivery_id)
            await check_may_settle(session, request.user, effect)
            await answer_effect(session, effect["key"], hand_of(request, clock), happened=data.happened)
            return await _detail(session, delivery_id)

        return await write_once(request, database, clock, EffectDetail, write)


async def _detail(session: Session, delivery_id: str) -> EffectDetail:
    effect = await load_effect(session, delivery_id)
    return EffectDetail.model_validate({**effect, "evidence": await load_evidence(session, effect)})
