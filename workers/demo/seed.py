"""Fills a new installation before its workers start: team, history, playbooks, release."""

import asyncio
import datetime as dt
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence

from domain.errors import EverstayError
from domain.facts import Fact
from domain.time import BusinessInstant, after, start_of_day, wall
from domain.timeline import Segment
from domain.vocabulary import Role
from integrations.simulators.stripe.payer_client import PayerClient
from ml.simulation.people import SampleUser
from ml.simulation.portfolio import SampleConfig
from ml.simulation.simulation import Simulation
from models.clock import append_segment, start_clock, wall_now
from models.database import Database
from models.demo_seed import name_installation
from models.facts import store_facts
from models.installation import release
from models.playbooks import load_library
from models.sources import Source, connect_source
from models.users import add_user
from settings import Settings
from workers.console import located_settings
from workers.demo.billing import Move, connect, put_policies
from workers.demo.options import SOURCE, DemoOptions
from workers.library import LIBRARY
from workers.pace import DAY_SECONDS

BATCH = 12_000
EVE = dt.timedelta(hours=2)
"""Business time starts so long before the first live day."""
PROVIDES = (
    "customers", "contacts", "subscriptions", "usage", "tickets", "surveys", "meetings", "invoices",
    "touchpoints", "cancellations",
)  # fmt: skip
WARM_UP_SECONDS, WARM_UPS_PER_SECOND = 4.0, 60.0
HOLDOUT_SHARE = 0.1
PREPARE, FILL, START = "prepare", "fill", "start"
"""What this module does when it is run."""
Sort = Callable[[dt.date, Sequence[Fact]], list[Fact]]
"""Returns what of a day's facts the sample's source tells."""


def all_of_it(_: dt.date, facts: Sequence[Fact]) -> list[Fact]:
    """Let the sample's source tell everything."""
    return list(facts)


class SampleRefusedError(EverstayError):
    """The sample portfolio does not fit the model: {reason}."""


async def prepare(database: Database, options: DemoOptions) -> None:
    """Name the installation and set its clock; business time stands still until everything is there."""
    start = start_of_day(options.start)
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=start, rate=0.0)
        await name_installation(
            session,
            company="Sample Company",
            product="Atlas",
            holdout_salt=f"sample-{options.seed}",
            holdout_share=HOLDOUT_SHARE,
        )
        await connect_source(session, sample_source(start))


def sample_source(connected_at: BusinessInstant) -> Source:
    """Return where a sample portfolio's facts come from."""
    return Source(SOURCE, "Sample portfolio", "simulation", PROVIDES, connected_at, rhythm_hours=24.0)


async def fill(database: Database, options: DemoOptions) -> None:
    """Store the team and the history of a prepared installation, and release it."""
    await fill_history(database, options.sample)
    await _release(database, start_of_day(options.start))


async def fill_with_cards(database: Database, options: DemoOptions, settings: Settings) -> None:
    """Do the same beside the simulated Stripe, to which who pays by card is moved before it is connected."""
    start, move = start_of_day(options.start), Move(options.with_cards)
    await fill_history(database, options.with_cards, move.sort)
    async with PayerClient(settings.simulators_url) as stripe:
        await move.carry_out(stripe, options.with_cards)
        await connect(settings, stripe)
    async with database.transaction() as session:
        await put_policies(session, start)
    await _release(database, start)


async def fill_history(database: Database, config: SampleConfig, sort: Sort = all_of_it) -> Simulation:
    """Store the team and the history of a portfolio, and nothing else; return it on its first live day."""
    simulation = Simulation(config)
    await _add_team(database, simulation.portfolio.team)
    await _store_history(database, simulation, sort)
    return simulation


async def seed(database: Database, options: DemoOptions) -> None:
    """Prepare and fill at once."""
    await prepare(database, options)
    await fill(database, options)


async def start_business(database: Database, options: DemoOptions) -> None:
    """Say when business time will begin to run, and at which pace.

    Until then it stands still on the eve of the first day, while every customer gets a workflow and a first
    score; the timers that they arm already count on the pace to come.
    """
    begin = wall_now() + dt.timedelta(seconds=WARM_UP_SECONDS + options.customers / WARM_UPS_PER_SECOND)
    segment = Segment(wall(begin), after(start_of_day(options.start), -EVE), DAY_SECONDS / options.first_day)
    async with database.transaction() as session:
        await append_segment(session, segment, "set")


async def _add_team(database: Database, team: Sequence[SampleUser]) -> None:
    """Add our people; managers come first, since the others name them."""
    known: dict[str, object] = {}
    async with database.transaction() as session:
        for person in sorted(team, key=lambda one: one.role is not Role.MANAGER):
            manager = known.get(person.manager_email or "")
            user = await add_user(
                session,
                person.email,
                person.name,
                person.role,
                wall_now(),
                title=person.title,
                team="Customer success",
                manager_id=manager,  # type: ignore[arg-type] # a UUID or None
            )
            known[person.email] = user.id


async def _store_history(database: Database, simulation: Simulation, sort: Sort) -> None:
    """Store batch by batch; while the database works on one, the next is made up."""
    batches = _batches(simulation, sort)
    batch = next(batches, None)
    while batch is not None:
        _, batch = await asyncio.gather(store(database, batch), asyncio.to_thread(next, batches, None))


def _batches(simulation: Simulation, sort: Sort) -> Iterator[list[Fact]]:
    batch = sort(simulation.config.history_start, simulation.introductions())
    for day, facts in simulation.history():
        batch += sort(day, facts)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    yield batch


async def store(database: Database, facts: Sequence[Fact]) -> int:
    """Store facts of the sample source; one that the model refuses is a bug here, not data to quarantine."""
    async with database.transaction() as session:
        result = await store_facts(session, SOURCE, facts, received_at=wall_now())
    problems = [*result.conflicts, *result.unresolved]
    if problems:
        first = problems[0]
        raise SampleRefusedError(reason=f"{len(problems)} facts, first {first.key}: {first.reason}")
    return result.stored


async def _release(database: Database, now: BusinessInstant) -> None:
    async with database.transaction() as session:
        await load_library(session, LIBRARY, now)
        await release(session, now, wall_now())


async def _main() -> None:
    settings = located_settings()
    options = DemoOptions.model_validate_json(sys.argv[2])
    database = Database(settings.database_url or "", pool_size=2)
    jobs: dict[str, Callable[[], Awaitable[None]]] = {
        PREPARE: lambda: prepare(database, options),
        FILL: lambda: fill_with_cards(database, options, settings),
        START: lambda: start_business(database, options),
    }
    try:
        await jobs[sys.argv[1]]()
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(_main())
