"""Recorded histories against the workflow code of today."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.replay.commands import fingerprint
from tests.replay.corpus import HISTORIES, load, manifest
from tests.replay.mutants import MUTANTS
from workers.main import sandbox
from workers.registry import WORKFLOWS

pytestmark = pytest.mark.replay

ALL = list(dict.fromkeys(flow for flows in WORKFLOWS.values() for flow in flows))
BASELINE = HISTORIES.with_name("commands.json")
CHANGED = """The commands of a workflow have changed. Runs that are under way replay their history against
this code and stop at the first command that differs: cancelling them would not help either.
 1. Gate the change with workflow.patched("…") so that old histories take the old branch (docs/workflows.md).
 2. Run the replay tier: every recorded history must still pass. Never record one again to make it pass.
 3. Record a history of the new path: python -m tools.record_histories --new
 4. Then accept the new order: python -m tools.workflow_commands --accept"""

# What may stand in a payload: ids, enumerations, numbers, dates. No names, no addresses, no free text.
UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
WORD = r"[a-z0-9]+(?:[_/-][a-z0-9]+)*"
DATE = r"\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?"
PLAIN = re.compile(rf"(?:{UUID}|{WORD}|{DATE}|)", re.ASCII)
SENTENCES = {
    "the provider cannot take the message now",
    "the provider cannot say now what became of the message",
    "nobody knows yet whether the provider took the message",
    "another attempt is sending it",
    "the billing provider refuses it",
    "the file is gone",
    "the token is not accepted",
}
"""What our own code says when an attempt fails; the provider's words and the database's stay outside."""


def names() -> list[str]:
    return sorted(manifest())


def test_every_history_is_in_the_manifest_and_every_workflow_has_one() -> None:
    assert names() == sorted(path.stem for path in HISTORIES.glob("*.json"))
    recorded = {one["workflow"] for one in manifest().values()}
    assert recorded == {flow.__name__ for flow in ALL}


@pytest.mark.parametrize("name", names())
async def test_a_recorded_history_replays(name: str) -> None:
    replayer = Replayer(workflows=ALL, data_converter=pydantic_data_converter, workflow_runner=sandbox())
    assert (await replayer.replay_workflow(load(name))).replay_failure is None


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
async def test_the_corpus_catches_commands_in_another_order(mutant: type) -> None:
    kind = mutant.__mro__[1].__name__
    replayer = Replayer(workflows=[mutant], data_converter=pydantic_data_converter, workflow_runner=sandbox())
    mine = [name for name in names() if manifest()[name]["workflow"] == kind]
    failures = [
        (await replayer.replay_workflow(load(name), raise_on_replay_failure=False)).replay_failure
        for name in mine
    ]
    caught = [failure for failure in failures if failure is not None]
    assert caught, f"{mutant.__name__} replays every history of {kind}: the corpus has no such path"
    assert all("ondeterminism" in f"{failure!r} {failure}" for failure in caught), caught


def test_the_commands_of_each_workflow_are_those_that_were_accepted() -> None:
    accepted = json.loads(BASELINE.read_text(encoding="utf-8"))
    assert fingerprint() == accepted, CHANGED


@pytest.mark.parametrize("name", names())
def test_a_history_holds_ids_enumerations_numbers_and_dates_only(name: str) -> None:
    text = (HISTORIES / f"{name}.json").read_text(encoding="utf-8")
    history = json.loads(text)
    found = {leaf for payload in payloads(history) for leaf in leaves(payload)}
    assert {leaf for leaf in found if not PLAIN.fullmatch(leaf)} - SENTENCES == set()
    assert set(messages(history)) <= SENTENCES | {
        "activity error",
        "Activity task failed",
        "",
    }
    assert "@" not in text
    assert "stackTrace" not in text


def payloads(value: Any) -> Iterator[Any]:
    """Every payload of a history, decoded."""
    if isinstance(value, dict):
        if isinstance(value.get("data"), str) and "metadata" in value:
            yield json.loads(base64.b64decode(value["data"]) or b"null")
        for one in value.values():
            yield from payloads(one)
    if isinstance(value, list):
        for one in value:
            yield from payloads(one)


def leaves(value: Any) -> Iterator[str]:
    """Every text in a payload, keys included."""
    if isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, str):
        yield value


def messages(value: Any) -> Iterator[str]:
    """Every message of a failure."""
    if isinstance(value, dict):
        if "message" in value:
            yield value["message"]
        for one in value.values():
            yield from messages(one)
    if isinstance(value, list):
        for one in value:
            yield from messages(one)
