"""Pulls without Temporal: connections to the simulators, and passes over them as the workflow makes them."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.contracts_pulls import FinishPullInput, PlanPullInput, PullStreamInput, PullStreamResult
from activities.pulls import PullActivities
from integrations.providers import PROVIDERS, open_reader
from integrations.simulators.hubspot.account import HUBSPOT_TOKEN, SimulatedHubSpot
from integrations.simulators.providers import Simulated, Simulations
from integrations.simulators.server import SimulatorOptions
from integrations.simulators.stripe.account import STRIPE_KEY, SimulatedStripe
from integrations.simulators.zendesk.account import ZENDESK_TOKEN, ZENDESK_USER, SimulatedZendesk
from models.ciphers import Cipher
from models.clock import open_clock, wall_now
from models.connections import Connection, save_connection
from models.database import Database
from models.sources import Source, connect_source

CIPHER = Cipher("k" * 32)
TOKENS = {"hubspot": HUBSPOT_TOKEN, "zendesk": ZENDESK_TOKEN, "stripe": STRIPE_KEY}
OPTIONS: dict[str, dict[str, Any]] = {
    "hubspot": {"id_property": "everstay_id"},
    "zendesk": {"user": ZENDESK_USER},
    "stripe": {},
}
SMALL = 5
"""Rows per page of the simulators, so that a small account has many pages."""


@dataclass
class Providers:
    """The three simulated accounts."""

    hubspot: SimulatedHubSpot = field(default_factory=lambda: SimulatedHubSpot(page_size=SMALL))
    zendesk: SimulatedZendesk = field(default_factory=lambda: SimulatedZendesk(page_size=SMALL))
    stripe: SimulatedStripe = field(default_factory=lambda: SimulatedStripe(page_size=SMALL))
    simulations: Simulations = field(default_factory=dict)

    def options(self, home: Path) -> SimulatorOptions:
        """Return the options of a server that serves them."""
        for one in (self.hubspot, self.zendesk, self.stripe):
            self.simulations[one.name] = Simulated(one)
        return SimulatorOptions(home, 0, simulations=self.simulations)


async def connect(
    database: Database,
    provider: str,
    url: str,
    *,
    customers: bool = False,
    every: float = 900.0,
    **more: Any,
) -> None:
    """Make a connection to a simulated account, under the provider's name."""
    clock = await open_clock(database)
    own = PROVIDERS[provider].provides
    provides = ("customers", *own) if customers else own
    options = {"base_url": f"{url}/{provider}", **OPTIONS[provider], **more}
    connection = Connection(provider, provider, options, {"token": TOKENS[provider]}, every)
    async with database.transaction() as session:
        await connect_source(session, Source(provider, provider, provider, provides, clock.now()))
        await save_connection(session, connection, CIPHER, wall_now())


async def activities_of(database: Database) -> PullActivities:
    """Return the pull activities over the real readers."""
    return PullActivities(database, await open_clock(database), CIPHER, open_reader)


async def pull(database: Database, source_id: str) -> dict[str, PullStreamResult]:
    """Make one pass over a connection and return what each stream gave."""
    activities, environment = await activities_of(database), ActivityEnvironment()
    plan = await environment.run(activities.plan_pull, PlanPullInput(source_id, is_asked=True))
    results = {
        stream: await environment.run(activities.pull_stream, PullStreamInput(source_id, stream))
        for stream in plan.streams
    }
    await environment.run(activities.finish_pull, FinishPullInput(source_id))
    return results


async def value(database: Database, query: str) -> Any:
    """Return the one value of a query."""
    async with database.transaction() as session:
        return await session.scalar(text(query))


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]


def soon() -> dt.datetime:
    """Return an instant after the connection was made, at which somebody changes something."""
    return dt.datetime.now(dt.UTC)
