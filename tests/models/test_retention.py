import datetime as dt

from sqlalchemy import update

from domain.facts import Fact
from domain.retention_figures import held, wait
from models.database import Database
from models.facts import store_facts
from models.retention import load_retained
from models.tables.customers import CustomerRow
from tests.support.facts import CRM, WALL, connect, customer, day, subscription


async def test_terms_and_first_value_are_read_and_strategic_customers_left_out(database: Database) -> None:
    await connect(database)
    large: list[Fact] = [customer("large"), subscription("sub-large", customer="large", mrr_minor=2_000_000)]
    first = subscription(ended_at=day(2, 1), ended_known_at=day(2, 1))
    second = subscription("sub-2", started_at=day(2, 1), known_at=day(2, 1), mrr_minor=150_00)
    small: list[Fact] = [customer("acme", first_value_at=day(1, 20)), first, second]
    async with database.transaction() as session:
        await store_facts(session, CRM, [*large, *small], received_at=WALL)
        await session.execute(update(CustomerRow).values(holdout=False))  # else by chance
        (row,) = await load_retained(session)
    assert not row.holdout
    period = held(row.relation, day(1, 15), day(3, 1))
    assert period is not None
    assert (period.opening_minor, period.closing_minor, period.left) == (100_00, 150_00, False)
    waited = wait(row.relation, row.first_value_at, day(1, 10), day(3, 1))
    assert waited is not None
    assert (waited.reached, waited.until - waited.entered) == (True, dt.timedelta(days=10).days)
