"""`store_facts` on a real Postgres: what a second telling does, and what follows from a first."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, text

from domain.facts import Fact
from domain.vocabulary import CustomerStatus, NoticeKind, TouchTier
from models.ciphers import Cipher
from models.clock import wall_now
from models.connections import Connection, save_connection
from models.database import Database
from models.facts import store_facts
from models.facts_batch import StoreResult
from models.tables.customers import CustomerRow
from models.tables.ledger import OutboxRow
from tests.support.facts import (
    CRM,
    WALL,
    cancellation,
    connect,
    contact,
    customer,
    day,
    invoice,
    subscription,
    ticket,
    touchpoint,
    usage,
)

pytestmark = pytest.mark.integration


async def tell(database: Database, *facts: Fact, source: str = CRM) -> StoreResult:
    async with database.transaction() as session:
        return await store_facts(session, source, facts, received_at=WALL)


async def rows(database: Database, query: str) -> Sequence[Any]:
    async with database.transaction() as session:
        return (await session.execute(text(query))).all()


async def the_customer(database: Database) -> CustomerRow:
    async with database.transaction() as session:
        return (await session.execute(select(CustomerRow))).scalar_one()


async def notices(database: Database) -> list[NoticeKind]:
    async with database.transaction() as session:
        return list((await session.execute(select(OutboxRow.kind).order_by(OutboxRow.id))).scalars())


EVERYTHING: tuple[Fact, ...] = (
    usage(contact="ann"),
    cancellation(),
    touchpoint(contact="ann"),
    invoice(),
    ticket(contact="ann"),
    subscription(),
    contact(consents=("lifecycle",)),
    customer(),
)


async def test_the_same_facts_told_twice_change_nothing_in_whatever_order(database: Database) -> None:
    await connect(database)
    first = await tell(database, *EVERYTHING)
    second = await tell(database, *EVERYTHING)
    assert (first.stored, first.problems) == (len(EVERYTHING), {})
    assert (second.stored, second.duplicates) == (0, len(EVERYTHING))


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (usage(), usage(quantity=2)),
        (usage(), usage(feature="export")),
        (usage(), usage(fingerprint="other")),
        (subscription(), subscription(mrr_minor=1)),
        (ticket(), ticket(priority="urgent")),
        (ticket(satisfaction=4), ticket(satisfaction=5)),
        (invoice(), invoice(amount_due_minor=1)),
        (touchpoint(), touchpoint(channel="chat")),
        (cancellation(), cancellation(reason="unused")),
        (customer("other"), customer("other", name="Else")),
        (contact(), contact(name="Bob")),
        (contact(), contact(roles=("champion",))),
    ],
)
async def test_the_same_key_with_other_content_is_a_conflict_and_changes_nothing(
    database: Database, first: Fact, other: Fact
) -> None:
    await connect(database)
    await tell(database, customer(), first)
    for facts in ((other,), (first, other)):
        result = await tell(database, *facts)
        assert result.stored == 0
        assert [problem.key for problem in result.conflicts] == [first.key]
    assert (await tell(database, first)).duplicates == 1


async def test_a_conflict_within_one_batch_keeps_the_first(database: Database) -> None:
    await connect(database)
    result = await tell(database, customer(), usage(), usage(quantity=7), usage())
    assert (result.stored, result.duplicates, len(result.conflicts)) == (2, 1, 1)
    assert await rows(database, "SELECT quantity FROM usage_events") == [(1.0,)]


async def test_what_is_filled_in_later_is_stored_with_its_own_known_at(database: Database) -> None:
    await connect(database)
    await tell(database, customer(), ticket(), invoice(), subscription())
    later = (
        ticket(resolved_at=day(1, 5), resolved_known_at=day(1, 6)),
        invoice(status="paid", paid_at=day(1, 9), amount_paid_minor=100_00, failed_attempts=2),
        subscription(status="canceled", ended_at=day(2, 1), ended_known_at=day(1, 20)),
    )
    assert (await tell(database, *later)).stored == 3
    assert await rows(database, "SELECT known_at, resolved_known_at FROM tickets") == [(day(1, 3), day(1, 6))]
    assert await rows(database, "SELECT status, paid_known_at, failed_attempts FROM invoices") == [
        ("paid", day(1, 9), 2)
    ]
    assert await rows(database, "SELECT status, ended_known_at FROM subscriptions") == [
        ("canceled", day(1, 20))
    ]
    earlier = await tell(database, ticket(), invoice(), subscription(status="canceled"))
    assert earlier.duplicates == 3


async def test_a_reopened_ticket_is_open_again(database: Database) -> None:
    await connect(database)
    await tell(database, customer(), ticket(resolved_at=day(1, 5)))
    await tell(database, ticket(reopened=1))
    assert await rows(database, "SELECT resolved_at, reopened FROM tickets") == [(None, 1)]
    await tell(database, ticket(reopened=1, resolved_at=day(1, 9)))
    assert await rows(database, "SELECT resolved_at FROM tickets") == [(day(1, 9),)]


async def test_what_was_known_later_changes_a_customer_and_what_was_known_earlier_does_not(
    database: Database,
) -> None:
    await connect(database)
    await tell(database, customer(plan="basic"))
    assert (await tell(database, customer(plan="pro", known_at=day(3, 1)))).stored == 1
    assert len((await tell(database, customer(plan="basic", known_at=day(2, 1)))).conflicts) == 1
    assert (await the_customer(database)).plan == "pro"


async def test_facts_about_nobody_are_unresolved(database: Database) -> None:
    await connect(database)
    result = await tell(database, customer(), usage(customer="nobody"), ticket(contact="no one"))
    found = sorted((problem.field, problem.key) for problem in result.unresolved)
    assert found == [("contact", "t1"), ("customer", "u1")]


async def test_a_source_without_customers_of_its_own_speaks_of_those_that_exist(database: Database) -> None:
    await connect(database)
    await connect(database, "tracker", provides=("usage",))
    await tell(database, customer())
    assert (await tell(database, usage(), source="tracker")).stored == 1


async def test_usage_adds_up_by_day_and_feature_and_moves_the_last_day_forward(database: Database) -> None:
    await connect(database)
    await tell(database, customer(), usage(quantity=2, users=3, value=1.5))
    await tell(
        database,
        usage("u2", quantity=5, users=2),
        usage("late", occurred_at=day(1, 1), quantity=1),
        usage("u3", feature="export"),
    )
    found = await rows(
        database, "SELECT day, feature, events, quantity, users, value FROM usage_daily ORDER BY 1, 2"
    )
    assert [tuple(row) for row in found] == [
        (day(1, 1).date(), "search", 1, 1.0, None, None),
        (day(1, 2).date(), "export", 1, 1.0, None, None),
        (day(1, 2).date(), "search", 2, 7.0, 3, 1.5),
    ]
    assert (await the_customer(database)).last_usage_on == day(1, 2).date()


async def test_arr_tier_and_renewal_follow_the_running_subscriptions(database: Database) -> None:
    await connect(database)
    await tell(
        database,
        customer(),
        subscription(mrr_minor=9_000_00, billing_months=12),
        subscription("trial", is_trial=True, mrr_minor=5_00),
        subscription("old", mrr_minor=7_00, ended_at=day(2, 1)),
    )
    found = await the_customer(database)
    assert (found.arr_minor, found.touch_tier) == (12 * 9_000_00, TouchTier.STRATEGIC)
    assert str(found.renewal_on) == "2027-01-01"
    assert found.started_at == day(1, 1)


async def test_a_departure_churns_and_a_return_reactivates(database: Database) -> None:
    await connect(database)
    await tell(database, customer(arr_minor=5_000_00))
    await tell(database, cancellation(reason="unused"))
    gone = await the_customer(database)
    assert (gone.status, gone.arr_minor, gone.churned_at) == (CustomerStatus.CHURNED, 0, day(2, 1))
    await tell(database, cancellation("c2", reactivated=True, occurred_at=day(2, 5), known_at=day(2, 5)))
    back = await the_customer(database)
    assert (back.status, back.arr_minor, back.churned_at) == (CustomerStatus.ACTIVE, 5_000_00, None)


async def test_the_end_of_the_last_subscription_churns(database: Database) -> None:
    await connect(database)
    await tell(database, customer(), subscription(ended_at=day(2, 1)))
    assert (await the_customer(database)).status is CustomerStatus.CHURNED
    await tell(database, subscription("next", started_at=day(2, 10)))
    assert (await the_customer(database)).status is CustomerStatus.ACTIVE


async def test_live_facts_ring_and_history_only_announces_the_customer(database: Database) -> None:
    paid = invoice(status="paid", paid_at=day(1, 9))
    await connect(database, at=day(1, 1))
    await connect(database, "history", at=day(6, 1))
    await tell(database, customer(), source="history")
    await tell(database, paid, touchpoint(), cancellation(), source="history")
    assert await notices(database) == [NoticeKind.CUSTOMER_ADDED]
    await tell(database, customer())
    await tell(database, paid, touchpoint(), cancellation())
    assert sorted(await notices(database)) == sorted(
        [
            *[NoticeKind.CUSTOMER_ADDED] * 2,
            NoticeKind.PAYMENT,
            NoticeKind.TOUCHPOINT,
            NoticeKind.CUSTOMER_CHURNED,
        ]
    )


async def test_a_failed_payment_rings_when_it_is_first_heard_of_and_whenever_another_fails(
    database: Database,
) -> None:
    await connect(database)
    async with database.transaction() as session:  # from elsewhere nobody could be asked to try again
        connection = Connection(CRM, "stripe", {}, {"token": "none"})
        await save_connection(session, connection, Cipher("a secret"), wall_now())
    await tell(database, customer(), invoice(failed_attempts=1), invoice("i2"), invoice("i3", status="void"))
    await tell(database, invoice(failed_attempts=1, known_at=day(1, 4)))
    await tell(database, invoice(failed_attempts=2, known_at=day(1, 5)))
    await tell(database, invoice("i2", failed_attempts=1, known_at=day(1, 6)))
    await tell(database, invoice(failed_attempts=3, status="paid", paid_at=day(1, 7), known_at=day(1, 7)))
    found = await rows(database, "SELECT kind, payload->>'attempts' AS attempts FROM outbox ORDER BY id")
    failed = NoticeKind.PAYMENT_FAILED
    assert [tuple(row) for row in found if row.kind in {failed, NoticeKind.PAYMENT}] == [
        (failed, "1"),
        (failed, "2"),
        (failed, "1"),
        (NoticeKind.PAYMENT, None),
    ]


async def test_a_withdrawn_consent_is_a_row_and_a_notice(database: Database) -> None:
    await connect(database)
    await tell(database, customer(), contact(consents=("lifecycle",)))
    await tell(database, contact(consents=(), known_at=day(1, 20)))
    found = await rows(database, "SELECT granted FROM consents ORDER BY occurred_at")
    assert [row.granted for row in found] == [True, False]
    assert NoticeKind.CONSENT_CHANGED in await notices(database)


async def test_roles_are_dated_and_end_when_the_person_leaves(database: Database) -> None:
    await connect(database)
    await tell(database, customer(), contact(roles=("champion", "admin")))
    await tell(database, contact(roles=("admin",), known_at=day(1, 10)))
    await tell(database, contact(roles=("admin",), known_at=day(1, 20), left_at=day(1, 15)))
    found = await rows(database, "SELECT role, until FROM contact_roles ORDER BY role")
    assert [tuple(row) for row in found] == [("admin", day(1, 15)), ("champion", day(1, 10))]


async def test_the_last_touch_is_the_newest_touchpoint(database: Database) -> None:
    await connect(database)
    await tell(database, customer(), touchpoint(), touchpoint("p0", occurred_at=day(1, 1)))
    assert (await the_customer(database)).last_touch_at == day(1, 4)


async def test_ids_are_the_same_on_every_installation(database: Database) -> None:
    await connect(database)
    await tell(database, customer())
    assert (await the_customer(database)).id == uuid.UUID("dd2dabe1-dbfd-52c8-b998-9aaa80d6c6d1")
