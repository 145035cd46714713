"""Backtests over the API."""

import pytest

from domain.permissions import Permission
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from tests.support.replays import BACKTEST, filed
from tests.support.sample_rows import fill
from tests.support.web import web_client, web_settings

pytestmark = pytest.mark.integration


async def test_backtests_are_listed_and_shown_with_their_figures(
    database: Database, database_url: str
) -> None:
    async with database.transaction() as session:
        await fill(session, customers=3)
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[Permission.READ_CUSTOMERS])
    async with web_client(web_settings(database_url)) as client:
        client.headers["authorization"] = f"Bearer {secret}"
        (listed,) = (await client.get("/api/backtests")).json()
        shown = (await client.get(f"/api/backtests/{BACKTEST}")).json()
        unknown = await client.get("/api/backtests/00000000-0000-4000-8000-000000000000")
    assert (listed["id"], listed["model"], listed["has_seen"]) == (str(BACKTEST), "scorecard", False)
    assert "document" not in listed
    assert shown["document"] == filed()
    assert unknown.status_code == 404
