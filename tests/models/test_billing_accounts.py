"""Through which account an invoice is collected, and who may try it again."""

import uuid

import pytest

from domain.billing import Retries
from domain.errors import NotFoundError
from models.billing_accounts import BillingAccount, billing_account_of, find_billing_account
from models.ciphers import Cipher
from models.clock import wall_now
from models.connections import Connection, save_connection
from models.database import Database
from models.facts import store_facts
from models.facts_batch import fact_id
from tests.support.facts import CRM, WALL, connect, customer, invoice

pytestmark = pytest.mark.integration

CIPHER = Cipher("k" * 32)


async def billed(database: Database, **told: object) -> BillingAccount | None:
    """Return the account of an invoice whose source has this connection."""
    await connect(database)
    async with database.transaction() as session:
        connection = Connection(CRM, **{"provider": "stripe", "secrets": {"token": "rk_1"}, **told})  # type: ignore[arg-type] # of the test
        await save_connection(session, connection, CIPHER, wall_now())
        await store_facts(session, CRM, [customer(), invoice()], received_at=WALL)
        return await find_billing_account(session, fact_id(CRM, "invoice", "i1"), CIPHER)


async def test_an_invoice_is_collected_through_the_connection_that_told_of_it(database: Database) -> None:
    options = {"retries": "everstay", "base_url": "http://stripe.example"}
    account = await billed(database, options=options)
    assert account == BillingAccount(CRM, "stripe", options, {"token": "rk_1"}, Retries.EVERSTAY)
    assert "rk_1" not in repr(account)


async def test_unless_it_is_declared_the_provider_retries(database: Database) -> None:
    account = await billed(database)
    assert account is not None
    assert account.retries is Retries.PROVIDER


@pytest.mark.parametrize("told", [{"provider": "webhook"}, {"secrets": {"webhook_secret": "whsec"}}])
async def test_what_only_tells_of_its_invoices_collects_none(
    database: Database, told: dict[str, object]
) -> None:
    assert await billed(database, **told) is None


async def test_an_invoice_of_a_file_has_no_account_and_one_that_nobody_knows_is_an_error(
    database: Database,
) -> None:
    await connect(database)
    async with database.transaction() as session:
        assert await billing_account_of(session, CRM, CIPHER) is None
        with pytest.raises(NotFoundError, match="no invoice"):
            await find_billing_account(session, uuid.uuid4(), CIPHER)
