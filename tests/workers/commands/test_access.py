import asyncio
import io
import json
import os
import stat
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli import run
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, find_key
from models.passwords import PasswordHashing
from models.users import password_hash_of

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Said:
    """What one command line answered."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Said]


@pytest.fixture
def everstay(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line against this test's database, without a terminal."""
    for name in [name for name in os.environ if name.startswith("EVERSTAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EVERSTAY_DATABASE_URL", database_url)
    monkeypatch.setenv("EVERSTAY_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def everstay(*arguments: str, stdin: str = "") -> Said:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with redirect_stdout(out), redirect_stderr(err):
            code = run(list(arguments))
        return Said(code, out.getvalue(), err.getvalue())

    return everstay


def test_a_user_is_added_changed_and_listed(everstay: Run) -> None:
    added = everstay("user", "add", "ada@example.com", "--role", "admin", "--name", "Ada", "--json")
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout).keys() == {"email", "role", "password"}
    assert everstay("user", "add", "bo@example.com", "--role", "csm").returncode == 0
    assert everstay("user", "role", "BO@example.com", "manager").returncode == 0
    assert everstay("user", "disable", "bo@example.com").returncode == 0
    listed = {each["email"]: each for each in json.loads(everstay("user", "list", "--json").stdout)}
    assert listed["ada@example.com"]["role"] == "admin"
    assert (listed["bo@example.com"]["role"], bool(listed["bo@example.com"]["disabled_at"])) == (
        "manager",
        True,
    )


async def test_a_password_from_standard_input_is_the_password_and_is_not_shown(
    everstay: Run, database: Database
) -> None:
    arguments = ("user", "add", "ada@example.com", "--role", "admin", "--password-stdin")
    added = await asyncio.to_thread(everstay, *arguments, stdin="correct horse battery\n")
    assert added.returncode == 0, added.stderr
    assert "correct horse" not in added.stdout + added.stderr
    async with database.transaction() as session:
        found = await password_hash_of(session, "ada@example.com")
    assert found is not None
    assert await PasswordHashing().is_right(found[1], "correct horse battery")


def test_the_last_administrator_cannot_be_disabled_or_demoted(everstay: Run) -> None:
    everstay("user", "add", "ada@example.com", "--role", "admin")
    for arguments in (("disable", "ada@example.com"), ("role", "ada@example.com", "viewer")):
        refused = everstay("user", *arguments)
        assert refused.returncode == 1
        assert "last administrator" in refused.stderr
    everstay("user", "add", "bo@example.com", "--role", "admin")
    assert everstay("user", "disable", "ada@example.com").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("role", "nobody@example.com", "csm"), "", "no user with the id nobody@example.com"),
        (("add", "not-an-address", "--role", "csm"), "", "not an e-mail address"),
        (("add", "x@example.com", "--role", "king"), "", "king"),
        (("add", "x@example.com", "--role", "csm", "--password-stdin"), "short\n", "12 to 256 characters"),
        (("add", "x@example.com", "--role", "csm", "--time-zone", "Mars"), "", "Europe/Berlin"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_wrong_is_said_on_standard_error(
    everstay: Run, arguments: tuple[str, ...], stdin: str, words: str
) -> None:
    refused = everstay("user", *arguments, stdin=stdin)
    assert refused.returncode != 0
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_address_is_taken_in_any_case(everstay: Run) -> None:
    everstay("user", "add", "ada@example.com", "--role", "admin")
    refused = everstay("user", "add", "ADA@example.com", "--role", "csm")
    assert (refused.returncode, "taken" in refused.stderr) == (1, True)


def test_a_link_is_printed_for_somebody_who_may_use_it(everstay: Run) -> None:
    everstay("user", "add", "ada@example.com", "--role", "admin")
    assert "/sign-in/link/" in everstay("user", "link", "ada@example.com").stdout
    everstay("user", "add", "bo@example.com", "--role", "csm")
    everstay("user", "disable", "bo@example.com")
    assert everstay("user", "link", "bo@example.com").returncode == 2


async def test_a_key_is_written_for_its_owner_alone_and_works(
    everstay: Run, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "key.json"
    path.write_text("an older key, readable by all")
    command = ("keys", "create", "--kind", "api", "--scopes", "customers:read,work:read", "--json")
    made = await asyncio.to_thread(everstay, *command, str(path))
    assert made.returncode == 0, made.stderr
    written = json.loads(path.read_text())
    assert written.keys() == {"key", "kind", "scopes"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with database.transaction() as session:
        found = await find_key(session, written["key"], wall_now())
    assert found is not None
    assert (found.kind, list(found.scopes)) == (KeyKind.API, written["scopes"])


def test_keys_are_listed_without_their_secret_and_revoked_by_their_beginning(everstay: Run) -> None:
    secret = everstay("keys", "create", "--kind", "write", "--name", "Shop").stdout.strip()
    listed = everstay("keys", "list", "--json").stdout
    assert secret not in listed
    prefix = json.loads(listed)[0]["prefix"]
    assert secret.startswith(prefix)
    assert everstay("keys", "revoke", prefix).returncode == 0
    assert everstay("keys", "revoke", prefix).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kind", "api"), "at least one"),
        (("--kind", "api", "--scopes", "everything"), "no such scope"),
        (("--kind", "write", "--scopes", "work:read"), "takes no scopes"),
        (("--kind", "write", "--source", "nothing"), "no source"),
    ],
    ids=str,
)
def test_a_key_that_makes_no_sense_is_refused(everstay: Run, arguments: tuple[str, ...], words: str) -> None:
    refused = everstay("keys", "create", *arguments)
    assert refused.returncode != 0
    assert words in refused.stderr
