"""`everstay connect` and `everstay connections`, as a person types them, against the simulators."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli import run
from domain.errors import EverstayError
from integrations.simulators.stripe.account import STRIPE_KEY
from models.ciphers import Cipher, UnreadableSecretsError
from models.connections import load_connection
from models.database import Database
from tests.support.pulls import Providers, rows, value
from tests.support.simulators import running_simulators

pytestmark = pytest.mark.integration

KEY = "s" * 40


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with running_simulators(Providers().options(tmp_path)) as address:
        yield address


@pytest.fixture
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVERSTAY_DATABASE_URL", database_url)
    monkeypatch.setenv("EVERSTAY_SECRET_KEY", KEY)
    monkeypatch.setenv("EVERSTAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BILLING", STRIPE_KEY)
    monkeypatch.setenv("HOOKS", "whsec_one")


async def everstay(*arguments: str) -> int:
    """Run a command line beside this loop, in which the simulators answer."""
    return await asyncio.to_thread(run, list(arguments))


async def test_a_connection_is_tried_stored_encrypted_and_listed_without_its_secrets(
    database: Database, url: str, installation: None, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--name", "Billing EU", "--token-env", "BILLING", "--base-url", f"{url}/stripe")
    assert await everstay("connect", "stripe", *arguments, "--every", "10m") == 0
    told = capsys.readouterr().out
    assert "connected as billing-eu" in told
    assert "It may read customers" in told
    assert await everstay("connections", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["provider"], listed["state"], listed["every_seconds"]) == (
        "billing-eu",
        "stripe",
        "on",
        600.0,
    )
    assert STRIPE_KEY not in told + json.dumps(listed)
    assert STRIPE_KEY.encode() not in bytes(await value(database, "SELECT secrets FROM connections"))
    async with database.transaction() as session:
        connection = await load_connection(session, "billing-eu", Cipher(KEY))
        assert connection.secrets == {"token": STRIPE_KEY}
        assert STRIPE_KEY not in repr(connection)
        with pytest.raises(UnreadableSecretsError):
            await load_connection(session, "billing-eu", Cipher("another key"))
    assert await rows(database, "SELECT provides FROM sources WHERE id = 'billing-eu'") == [
        (["customers", "subscriptions", "invoices", "cancellations"],)
    ]


async def test_a_token_that_is_refused_connects_nothing(
    database: Database,
    url: str,
    installation: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BILLING", "rk_wrong")
    arguments = ("--token-env", "BILLING", "--base-url", f"{url}/stripe")
    assert await everstay("connect", "stripe", *arguments) == EverstayError.exit_code
    said = capsys.readouterr().err
    assert "the token is not accepted" in said
    assert "rk_wrong" not in said
    assert await value(database, "SELECT count(*) FROM connections") == 0
    assert await everstay("connect", "stripe", "--token-env", "NOWHERE") == 2
    assert "NOWHERE" in capsys.readouterr().err


async def test_connecting_again_keeps_what_is_not_given_anew(
    database: Database, url: str, installation: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await everstay("connect", "stripe", "--token-env", "BILLING", "--base-url", f"{url}/stripe") == 0
    assert await everstay("connect", "stripe", "--webhook-secret-env", "HOOKS") == 0
    assert "/webhooks/stripe" in capsys.readouterr().out
    async with database.transaction() as session:
        connection = await load_connection(session, "stripe", Cipher(KEY))
    assert connection.secrets == {"token": STRIPE_KEY, "webhook_secret": "whsec_one"}
    assert (connection.base_url, connection.pull_every_seconds) == (f"{url}/stripe", 900.0)


async def test_a_second_keeper_of_customers_only_recognises_them(
    database: Database, url: str, installation: None, capsys: pytest.CaptureFixture[str]
) -> None:
    stripe = ("connect", "stripe", "--token-env", "BILLING", "--base-url", f"{url}/stripe")
    assert await everstay(*stripe, "--name", "First") == 0
    assert await everstay(*stripe, "--name", "Second") == 0
    assert "recognised" in capsys.readouterr().out
    provided = await rows(database, "SELECT 'customers' = ANY(provides) FROM sources ORDER BY id")
    assert provided == [(True,), (False,)]


async def test_a_connection_is_paused_and_resumed(
    database: Database, url: str, installation: None, capsys: pytest.CaptureFixture[str]
) -> None:
    await everstay("connect", "stripe", "--token-env", "BILLING", "--base-url", f"{url}/stripe")
    assert await everstay("connections", "pause", "stripe") == 0
    assert await value(database, "SELECT paused_at IS NOT NULL FROM connections")
    assert await everstay("connections", "pull-now", "stripe") == 2
    assert await everstay("connections", "resume", "stripe") == 0
    assert await value(database, "SELECT paused_at IS NULL FROM connections")
    assert await everstay("connections", "pause", "nobody") == EverstayError.exit_code
    assert "no connection with the id nobody" in capsys.readouterr().err
