"""Cases of unpaid invoices in the database: who gets one, what ends it, what is counted."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert, select

from domain.billing import Decline, InvoiceEvidence, PaymentMethod, PaymentResult
from domain.case_vocabulary import AttemptResult, CaseOutcome, CaseState, PaidBy
from domain.customer_state import Memory
from domain.dunning_policy import NETWORKS, DunningPolicy, RetrySchedule
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import EffectState, NoticeKind
from models.ciphers import Cipher
from models.connections import Connection, save_connection
from models.customer_state import lock_customer, see_customer
from models.database import Database
from models.dunning_policies import load_dunning_policy, save_dunning_policy
from models.dunnings import open_dunning
from models.facts import store_facts
from models.lifecycles import DecisionMade, claim_rings, store_lifecycle
from models.outbox import Notice, put_notices, take_notices
from models.payment_attempts import attempts_of, note_ours, note_seen
from models.payment_ceilings import card_use
from models.playbooks import PlaybookShelf
from models.standing_orders import load_standing_orders
from models.tables.cases import CaseRow, DunningRow
from models.tables.facts import InvoiceRow
from models.tables.ledger import EffectRow, OutboxRow
from models.tables.workflows import WorkflowOrderRow
from tests.support.billing import VISA, MemoryBilling
from tests.support.facts import connect, invoice
from tests.support.scenario import Scenario

NOW = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))
WALL = WallInstant(NOW)
DAY = dt.timedelta(days=1)
REFUSED = {"failed_attempts": 1, "issued_at": NOW, "due_at": NOW, "known_at": NOW}


class Books:
    """One customer and the invoices that a billing source tells of it."""

    def __init__(self, database: Database, scene: Scenario) -> None:
        self.database, self.scene = database, scene

    async def tell(self, key: str = "in_1", **told: Any) -> None:
        async with self.database.transaction() as session:
            fact = invoice(key, **{**REFUSED, **told})
            result = await store_facts(session, "billing", [fact], received_at=WALL)
            assert not result.problems, result.problems

    async def unpaid(self) -> Sequence[uuid.UUID]:
        shelf = PlaybookShelf()
        async with self.database.transaction() as session:
            await lock_customer(session, self.scene.customer_id)
            orders = await load_standing_orders(session, shelf)
            seen = await see_customer(session, self.scene.customer_id, shelf, orders, NOW)
            return [one.id for one in seen.state.unpaid]

    async def open(self, key: str = "in_1") -> uuid.UUID | None:
        async with self.database.transaction() as session:
            await lock_customer(session, self.scene.customer_id)
            found = await session.scalar(select(InvoiceRow.id).where(InvoiceRow.external_id == key))
            assert found is not None
            return await open_dunning(session, found, "Refused.", NOW, WALL)

    async def case(self) -> CaseRow:
        async with self.database.transaction() as session:
            return (await session.scalars(select(CaseRow))).one()

    async def money(self) -> DunningRow:
        async with self.database.transaction() as session:
            return (await session.scalars(select(DunningRow))).one()

    async def rings(self) -> int:
        async with self.database.transaction() as session:
            row = WorkflowOrderRow
            return len((await session.scalars(select(row).where(row.case_id.is_not(None)))).all())


@pytest.fixture
async def books(database: Database) -> Books:
    scene = await Scenario(database, NOW).begin()
    await connect(database, "billing", provides=("invoices",), at=after(NOW, -DAY))
    async with database.transaction() as session:
        connection = Connection("billing", "stripe", {"retries": "everstay"})
        await save_connection(session, connection, Cipher("a secret"), WALL)
    return Books(database, scene)


async def test_an_open_invoice_of_a_billing_connection_is_seen_until_it_has_a_case(books: Books) -> None:
    await books.tell()
    assert len(await books.unpaid()) == 1
    assert await books.open() is not None
    assert await books.unpaid() == []
    assert await books.open() is None, "one case per invoice"


@pytest.mark.parametrize(
    "told",
    [
        {"status": "paid", "paid_at": NOW},
        {"status": "void"},
        {"amount_paid_minor": 100_00},
        {"known_at": after(NOW, -30 * DAY), "issued_at": after(NOW, -30 * DAY)},
    ],
    ids=["paid", "void", "nothing left", "history"],
)
async def test_what_is_not_owed_or_is_history_opens_nothing(books: Books, told: dict[str, Any]) -> None:
    await books.tell(**told)
    assert await books.unpaid() == []


async def test_invoices_of_a_source_without_a_billing_connection_open_nothing(books: Books) -> None:
    async with books.database.transaction() as session:
        await store_facts(session, "crm", [invoice("in_9", **REFUSED)], received_at=WALL)
    assert await books.unpaid() == []


async def test_a_refused_charge_and_an_invoice_with_a_term_are_told_and_a_plain_one_is_not(
    books: Books,
) -> None:
    await books.tell("in_1")
    await books.tell("in_2", failed_attempts=0)
    await books.tell("in_3", failed_attempts=0, due_at=after(NOW, 14 * DAY))
    async with books.database.transaction() as session:
        told = (await session.scalars(select(OutboxRow.kind).order_by(OutboxRow.id))).all()
    assert told[-2:] == [NoticeKind.PAYMENT_FAILED, NoticeKind.CUSTOMER_CHANGED]


async def test_the_fact_that_an_invoice_is_paid_ends_its_case_in_the_same_transaction(books: Books) -> None:
    await books.tell()
    await books.open()
    before = await books.rings()
    await books.tell(status="paid", paid_at=NOW, amount_paid_minor=100_00)
    case, money = await books.case(), await books.money()
    assert (case.state, case.outcome) == (CaseState.ENDED, CaseOutcome.RECOVERED)
    assert (money.recovered_minor, money.recovered_by) == (100_00, PaidBy.CUSTOMER)
    assert await books.rings() == before + 1


async def test_a_part_that_was_paid_only_rings_the_case(books: Books) -> None:
    await books.tell()
    await books.open()
    before = await books.rings()
    await books.tell(amount_paid_minor=40_00)
    assert (await books.case()).state is CaseState.OPEN
    assert await books.rings() == before + 1


async def test_a_charge_that_is_under_way_says_itself_what_it_came_to(books: Books) -> None:
    await books.tell()
    case_id = await books.open()
    async with books.database.transaction() as session:
        await session.execute(
            insert(EffectRow).values(
                key=f"case/{case_id}/collect/1/in_1",
                delivery_id="d1",
                kind="payment",
                payload_hash="x",
                customer_id=books.scene.customer_id,
                state=EffectState.CLAIMED,
                attempts=1,
                lease_until=WALL,
                claimed_at=WALL,
                provider="till",
            )
        )
    await books.tell(status="paid", paid_at=NOW, amount_paid_minor=100_00)
    assert (await books.case()).state is CaseState.OPEN


async def test_attempts_count_per_card_over_all_invoices_and_a_network_s_never_bars_it(
    books: Books,
) -> None:
    till = MemoryBilling(lambda: NOW)
    cases: dict[str, uuid.UUID] = {}
    for key in ("in_1", "in_2"):
        await books.tell(key)
        found = await books.open(key)
        assert found is not None
        cases[key] = found
    never = Decline("do_not_honor", network_code="R1", at=NOW)
    for key, decline in (("in_1", Decline("insufficient_funds", at=NOW)), ("in_2", never)):
        await _see(books, key, cases[key], till.owe(key, decline=decline, attempts=2))
    async with books.database.transaction() as session:
        use = await card_use(session, VISA, NETWORKS, NOW)
        other = await card_use(session, PaymentMethod("card_2", "visa"), NETWORKS, NOW)
    assert len(use.charged_at) == 4
    assert use.is_barred
    assert (other.charged_at, other.is_barred) == ((), False)


async def _see(books: Books, key: str, case_id: uuid.UUID, evidence: InvoiceEvidence) -> None:
    async with books.database.transaction() as session:
        found = await session.scalar(select(InvoiceRow.id).where(InvoiceRow.external_id == key))
        assert found is not None
        known = await attempts_of(session, found)
        assert await note_seen(session, found, case_id, evidence, known, NOW)
        known = await attempts_of(session, found)
        assert not await note_seen(session, found, case_id, evidence, known, NOW), "it is written once"


async def test_an_attempt_in_doubt_becomes_what_it_came_to(books: Books) -> None:
    await books.tell()
    case_id = await books.open()
    assert case_id is not None
    evidence = MemoryBilling(lambda: NOW).owe()
    key = f"case/{case_id}/collect/1/in_1"
    async with books.database.transaction() as session:
        found = (await session.scalars(select(InvoiceRow.id))).one()
        await session.execute(
            insert(EffectRow).values(
                key=key,
                delivery_id="d1",
                kind="payment",
                payload_hash="x",
                state=EffectState.UNCERTAIN,
                attempts=1,
                claimed_at=WALL,
                provider="till",
            )
        )
        await note_ours(session, found, case_id, key, evidence, None, NOW)
        await note_ours(session, found, case_id, key, evidence, PaymentResult(succeeded=True, key="py"), NOW)
        assert [one.result for one in await attempts_of(session, found)] == [AttemptResult.SUCCEEDED]


async def test_the_policy_is_the_default_until_somebody_changes_it(database: Database) -> None:
    wanted = DunningPolicy(retries=RetrySchedule(attempts=3), escalate_from={"USD": 1})
    async with database.transaction() as session:
        assert await load_dunning_policy(session) == DunningPolicy()
        await save_dunning_policy(session, wanted, None, NOW)
        assert await load_dunning_policy(session) == wanted


async def test_a_customer_with_an_open_case_is_rung_for_a_payment(books: Books) -> None:
    await books.tell()
    await books.open()
    customer = books.scene.customer_id
    async with books.database.transaction() as session:
        await take_notices(session, customer, WALL)
        await store_lifecycle(session, DecisionMade(customer, Memory(), 1, {}, None), NOW)
        await put_notices(session, [Notice(customer, NoticeKind.PAYMENT, {}, NOW)], WALL)
        assert await claim_rings(session, WALL, NOW, 10) == [customer]
