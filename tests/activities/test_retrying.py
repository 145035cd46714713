"""The step `retry_payment`: one charge per visit, by the case of the oldest open invoice, or a reason."""

import datetime as dt

import pytest
from sqlalchemy import select

from activities.retrying import PaymentPerformer
from domain.billing import Decline
from domain.errors import UncertainDeliveryError
from domain.time import after
from domain.vocabulary import StepState
from models.ciphers import Cipher
from models.connections import Connection, save_connection
from models.database import Database
from models.facts import store_facts
from models.installation import release
from models.tables.cases import CaseRow
from tests.support.billing import MemoryBilling
from tests.support.facts import connect, invoice
from tests.support.loop import MONDAY
from tests.support.steps import Standing, stand_at

DAY = dt.timedelta(days=1)


@pytest.fixture
async def standing(database: Database) -> Standing:
    found = await stand_at(database, {"retry_payment": {}}, requires=["billing"])
    wall = found.clock.wall_now()
    async with database.transaction() as session:
        await release(session, MONDAY, wall)
    await connect(database, "billing", provides=("invoices",), at=after(MONDAY, -DAY))
    async with database.transaction() as session:
        connection = Connection("billing", "stripe", {"retries": "everstay"})
        await save_connection(session, connection, Cipher("a secret"), wall)
    return found


async def tell(standing: Standing, *keys: str) -> MemoryBilling:
    """Tell of open invoices, the oldest first, whose charge was refused once."""
    till = MemoryBilling(standing.clock.now)
    async with standing.database.transaction() as session:
        for age, key in enumerate(reversed(keys)):
            at = after(MONDAY, -DAY * age)
            till.owe(key)
            fact = invoice(key, known_at=MONDAY, issued_at=at, due_at=at, failed_attempts=1)
            await store_facts(session, "billing", [fact], received_at=standing.clock.wall_now())
    return till


def performer(standing: Standing, till: MemoryBilling) -> PaymentPerformer:
    return PaymentPerformer(standing.database, standing.clock, till.open)


async def test_the_oldest_open_invoice_is_charged_once_however_often_it_is_asked(standing: Standing) -> None:
    till = await tell(standing, "in_old", "in_new")
    first = await standing.perform(performer(standing, till))
    again = await standing.perform(performer(standing, till))
    assert (first.state, again.state) == (StepState.DONE, StepState.DONE)
    assert [one.invoice for one in till.charges] == ["in_old"]
    async with standing.database.transaction() as session:
        assert len((await session.scalars(select(CaseRow))).all()) == 1


async def test_an_answer_that_was_lost_is_not_asked_for_twice(standing: Standing) -> None:
    till = await tell(standing, "in_1")

    def lose() -> None:
        raise UncertainDeliveryError(provider="till", reason="the line went dead")

    till.after = lose
    with pytest.raises(Exception, match="nobody knows yet"):
        await standing.perform(performer(standing, till))
    standing.clock.pass_by(dt.timedelta(minutes=1))
    assert (await standing.perform(performer(standing, till))).state == StepState.DONE
    assert len(till.charges) == 1


async def test_without_an_open_invoice_the_step_is_left_out(standing: Standing) -> None:
    done = await standing.perform(performer(standing, MemoryBilling(standing.clock.now)))
    assert (done.state, done.reason) == (StepState.SKIPPED, "nothing_unpaid")


async def test_a_card_that_was_refused_for_good_is_left_alone(standing: Standing) -> None:
    till = await tell(standing, "in_1")
    till.change("in_1", decline=Decline("stolen_card"))
    done = await standing.perform(performer(standing, till))
    assert (done.state, done.reason) == (StepState.SKIPPED, "card_not_to_be_charged")
    assert till.charges == []
