"""A run whose offer a person has agreed to, a desk that breaks, and verbs on both."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from activities.offer_keeping import OfferKeeper
from activities.offers import OfferPerformer
from domain.errors import UncertainDeliveryError
from domain.run_state import OfferOrder
from domain.time import after
from domain.vocabulary import Outcome
from models.database import Database
from models.endings import RunEnding, end_run
from models.installation import release
from models.playbooks import PlaybookShelf
from models.run_offers import write_offer
from models.tables.connections import ConnectionRow
from models.tables.runs import OfferRow
from tests.support.discounts import DiscountDesk, had
from tests.support.steps import MONDAY, STEP, Standing, stand_at

TERMS = {
    "kind": "discount",
    "percent": 15,
    "months": 3,
    "title": "15 % off",
    "body": "Ask.",
    "on_granted": "rest",
}


class KilledError(BaseException):
    """As a kill: nobody catches it."""


class BreakingDesk(DiscountDesk):
    """A desk at which something goes wrong, before or after it has made a discount."""

    before: Callable[[], None] = staticmethod(lambda: None)
    after: Callable[[], None] = staticmethod(lambda: None)

    async def grant(self, order: Any) -> Any:
        self.before()
        made = await super().grant(order)
        self.after()
        return made


def raising(error: BaseException) -> Callable[[], None]:
    def then() -> None:
        raise error

    return then


NOTHING: Callable[[], None] = lambda: None  # noqa: E731  a name for no trouble
NO_ANSWER = raising(UncertainDeliveryError(provider="desk", reason="no answer in time"))


async def write(standing: Standing, state: str, occurrence: int = 1) -> None:
    order = OfferOrder(
        STEP, occurrence, "discount", "15 % off", state, 15, 3, after(MONDAY, dt.timedelta(days=2))
    )
    async with standing.database.transaction() as session:
        customer, run = standing.scene.customer_id, standing.run_id
        await write_offer(session, customer, run, order, standing.clock.now())


async def agree(database: Database, *, connected: bool = True, **term: object) -> Standing:
    """Return a run whose offer a person has agreed to, with a customer who pays 4,000 a month."""
    standing = await stand_at(database, {"offer": TERMS})
    wall = standing.clock.wall_now()
    async with database.transaction() as session:
        await release(session, MONDAY, wall)
    if connected:
        await standing.scene.hear(had(**term), now=MONDAY)
        async with database.transaction() as session:
            row = {
                "source_id": "crm",
                "provider": "stripe",
                "options": {},
                "secrets": b"",
                "created_at": wall,
            }
            await session.execute(insert(ConnectionRow).values(row))
    await write(standing, "proposed")
    await write(standing, "agreed")
    return standing


def performer(standing: Standing, desk: DiscountDesk) -> OfferPerformer:
    return OfferPerformer(standing.database, standing.clock, PlaybookShelf(), desk.open)


async def make(standing: Standing, desk: DiscountDesk, attempt: int = 1) -> str:
    done = await standing.perform(performer(standing, desk), attempt)
    return f"{done.state} {done.reason}".strip()


async def look(standing: Standing, desk: DiscountDesk) -> list[str]:
    return await OfferKeeper(standing.database, standing.clock, desk.open).look()


async def offer(standing: Standing) -> OfferRow:
    (row,) = await standing.scene.rows(OfferRow)
    assert isinstance(row, OfferRow)
    return row


async def end(standing: Standing, outcome: Outcome) -> None:
    ending = RunEnding(standing.run_id, standing.scene.customer_id, outcome, "the test says so")
    async with standing.database.transaction() as session:
        await end_run(session, ending, standing.clock.now())
