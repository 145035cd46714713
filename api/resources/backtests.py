"""`/api/backtests`: what replays of the past have shown."""

import datetime as dt
import uuid
from typing import Any

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.guards import needs
from api.resources.shapes import Shape
from domain.permissions import Permission
from models.backtests import list_backtests, show_backtest
from models.database import Database


class Backtest(Shape):
    """A replay of scoring over days of the past. `has_seen`: its model had learned from these days."""

    id: uuid.UUID
    model: str
    first_day: dt.date
    last_day: dt.date
    has_seen: bool
    run_at: dt.datetime
    by: str


class BacktestDetail(Backtest):
    """A replay with its figures: lead times, precision, revenue, calibration and tiers."""

    document: dict[str, Any]


class BacktestController(Controller):
    """Backtests that were filed by `everstay backtest`."""

    path = "/backtests"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Models"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(self, database: NamedDependency[Database]) -> list[Backtest]:
        """List backtests, the newest first."""
        async with database.transaction() as session:
            return [
                Backtest.model_validate(one, from_attributes=True) for one in await list_backtests(session)
            ]

    @get("/{backtest_id:uuid}")
    async def show(
        self, backtest_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> BacktestDetail:
        """Return one backtest with everything that it found."""
        async with database.transaction() as session:
            return BacktestDetail.model_validate(
                await show_backtest(session, backtest_id), from_attributes=True
            )
