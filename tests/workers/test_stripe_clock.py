"""The simulated Stripe lives on business time where a connection says so, and on its own elsewhere."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.time import BusinessInstant
from integrations.simulators.server import SimulatorOptions
from models.ciphers import Cipher
from models.clock import change_rate, load_timeline, start_clock, wall_now
from models.connections import Connection, save_connection
from models.database import Database
from settings import Settings
from tests.support.facts import connect
from tests.support.simulators import running_simulators, until_true
from workers.stripe_clock import business_moments

pytestmark = pytest.mark.integration
START = BusinessInstant(dt.datetime(2031, 5, 5, 8, tzinfo=dt.UTC))
RATE = 10_000.0


async def connected(database: Database, options: Mapping[str, str]) -> None:
    """Let an installation of compressed time have a Stripe with these options."""
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=START, rate=RATE)
    await connect(database, "stripe", provides=("invoices",))
    async with database.transaction() as session:
        stripe = Connection("stripe", "stripe", options, {"token": "none"})
        await save_connection(session, stripe, Cipher("a secret"), wall_now())


def simulated(database: Database, home: Path) -> SimulatorOptions:
    settings = Settings(_env_file=None, database_url=database.url)
    return SimulatorOptions(home, 0, stripe_clock=lambda: business_moments(settings))


async def shown(http: httpx.AsyncClient) -> dict[str, Any]:
    clock: dict[str, Any] = (await http.get("/_control/stripe")).json()["clock"]
    return clock


async def test_it_shows_business_time_from_its_first_answer_and_changes_its_pace_with_it(
    database: Database, tmp_path: Path
) -> None:
    await connected(database, {"clock": "business"})
    async with (
        running_simulators(simulated(database, tmp_path)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        first = await shown(http)
        assert first["rate"] == RATE
        assert dt.datetime.fromisoformat(first["at"]) >= START
        async with database.transaction() as session:
            await change_rate(session, wall_now(), 0.0, "ended")

        async def stands() -> bool:
            return bool((await shown(http))["rate"] == 0.0)

        await until_true(stands)
        async with database.transaction() as session:
            timeline = await load_timeline(session)
        assert timeline is not None
        assert dt.datetime.fromisoformat((await shown(http))["at"]) == timeline.business_at(wall_now())


async def test_where_no_connection_says_so_it_has_a_clock_of_its_own(
    database: Database, tmp_path: Path
) -> None:
    await connected(database, {"retries": "everstay"})
    async with (
        running_simulators(simulated(database, tmp_path)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        clock = await shown(http)
    assert clock["rate"] == 1.0
    assert dt.datetime.fromisoformat(clock["at"]) < START
