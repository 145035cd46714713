"""`everstay suppressions`, as a person types it, against the simulated mail provider."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import run
from domain.suppressions import SuppressionList
from integrations.simulators.server import SimulatorOptions
from models.database import Database
from models.resources.suppressions import list_suppressions
from models.suppressions import lift
from tests.support.sample_rows import NOW, fill
from tests.support.simulators import running_simulators
from tests.support.suppressed import GLOBAL, GROUP, KEY, bounce

pytestmark = pytest.mark.integration


@pytest.fixture
async def http(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """The provider, in an installation whose mail leaves by it."""
    async with (
        running_simulators(SimulatorOptions(home=tmp_path, port=0)) as url,
        httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False) as client,
    ):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("EVERSTAY_DATABASE_URL", database_url)
        monkeypatch.setenv("EVERSTAY_SECRET_KEY", "s" * 40)
        monkeypatch.setenv("EVERSTAY_SENDGRID_HOST", url)
        yield client


async def everstay(*arguments: str) -> int:
    """Run a command line beside this loop, in which the simulator answers."""
    return await asyncio.to_thread(run, ["suppressions", *arguments])


async def hold_back(http: httpx.AsyncClient, path: str, *addresses: str) -> None:
    """Let people leave at the provider itself."""
    assert (await http.post(path, json={"recipient_emails": addresses})).status_code == 201


async def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """Return what `list --json` prints."""
    capsys.readouterr()
    assert await everstay("list", "--json", *arguments) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


async def test_lists_are_read_on_demand_and_what_is_known_is_not_new_again(
    http: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await hold_back(http, GLOBAL, "ann@acme.example", "bob@acme.example")
    await hold_back(http, GROUP, "cleo@acme.example")
    assert await everstay("import") == 0
    told = capsys.readouterr().out.splitlines()
    assert {"unsubscribes: 2 new", "group_unsubscribes: 1 new", "bounces: 0 new"} <= set(told)
    assert await everstay("import", "--json") == 0
    assert json.loads(capsys.readouterr().out) == dict.fromkeys(SuppressionList, 0)


async def test_a_list_that_cannot_be_read_is_named_and_the_others_are_read(
    http: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await hold_back(http, GLOBAL, "ann@acme.example")
    await http.put("/_control/faults", json={"fault": "forbidden", "prefix": "list:bounces"})
    assert await everstay("import") == 1
    told = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert "403" in told["bounces"]
    assert told["unsubscribes"] == "1 new"


async def test_held_addresses_are_listed_by_list_and_address_and_lifted_ones_say_so(
    http: httpx.AsyncClient, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await everstay("list") == 0
    assert "The provider holds no address back" in capsys.readouterr().out
    await hold_back(http, GLOBAL, "ann@acme.example", "bob@acme.example")
    await hold_back(http, GROUP, "cleo@globex.example")
    await bounce(http, "dan@acme.example")
    await everstay("import")
    assert {one["email"] for one in await listed(capsys)} == {
        "ann@acme.example", "bob@acme.example", "cleo@globex.example", "dan@acme.example",
    }  # fmt: skip
    assert [one["email"] for one in await listed(capsys, "--search", "globex")] == ["cleo@globex.example"]
    (found,) = await listed(capsys, "--list", "group_unsubscribes")
    assert (found["email"], found["list"], found["lifted_at"]) == (
        "cleo@globex.example", "group_unsubscribes", None,
    )  # fmt: skip
    assert len(await listed(capsys, "--limit", "1")) == 1
    async with database.transaction() as session:
        sample = await fill(session, customers=3)
        (row,) = (await list_suppressions(session, [SuppressionList.BOUNCES])).rows
        await lift(session, row["id"], "They wrote to us", sample.users["ada"], NOW)
    assert await everstay("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("  ")[2] for line in lines if "dan" in line] == ["(lifted)"]
    assert not any("(lifted)" in line for line in lines if "dan" not in line)


async def test_a_mail_server_keeps_no_lists_and_an_unknown_list_is_refused(
    http: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await everstay("list", "--list", "friends") == 2
    monkeypatch.delenv("EVERSTAY_SENDGRID_HOST")
    monkeypatch.setenv("EVERSTAY_SMTP_URL", "smtp://mail.example.com:25")
    assert await everstay("import") == 2
    assert "keeps no suppression lists" in capsys.readouterr().err
