from dataclasses import replace

from sqlalchemy import func, select

from domain.time import start_of_day
from domain.vocabulary import CustomerStatus
from ml.simulation.worlds import Preset
from models.database import Database
from models.relations import load_relations
from models.tables.customers import CustomerRow
from models.tables.facts import SubscriptionRow
from workers.demo.options import DemoOptions
from workers.demo.seed import fill_history, prepare


async def test_the_history_of_a_company_is_stored_and_read_as_it_was_lived(database: Database) -> None:
    options = DemoOptions(customers=16, days=10, preset=Preset.COMPANY, seed=2)
    await prepare(database, options)
    simulation = await fill_history(database, replace(options.sample, history_days=300))
    closing = start_of_day(options.start)
    async with database.transaction() as session:
        customers = (await session.scalars(select(CustomerRow))).all()
        relations = await load_relations(session)
        terms = await session.scalar(select(func.count()).select_from(SubscriptionRow)) or 0
    left = {fate.key for fate in simulation.fates() if fate.left_on is not None}
    begun = {one.key for one in simulation.portfolio.customers if one.started_on < options.start}
    assert {one.external_id for one in customers} == begun
    assert left
    assert {one.external_id for one in customers if one.status is CustomerStatus.CHURNED} == left
    assert terms > len(customers)
    for one in customers:
        relation = relations[one.id]
        assert relation.is_live_at(closing) == (one.external_id not in left)
        assert one.arr_minor == (12 * relation.mrr_minor_at(closing) if relation.is_live_at(closing) else 0)
