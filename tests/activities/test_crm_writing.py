"""`write_crm` against a simulated HubSpot account over HTTP, with what can go wrong there."""

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError

from activities.contracts import PerformResult
from activities.crm_writing import IN_DOUBT, NOT_TAKEN, PUT_OFF, CrmPerformer
from activities.delays import QUICK_RETRIES
from activities.fences import OVERTAKEN
from domain.time import WallInstant
from domain.vocabulary import EffectState, StepState
from integrations.hubspot_writer import HubSpotWriter
from integrations.providers import open_crm_writer
from integrations.simulators.providers import ReadFault, ReadFaultRule
from models.crm_writes import NOTE, PROPERTIES, CrmTools
from models.database import Database
from models.effects import LEASE
from models.tables.connections import ConnectionRow
from models.tables.customers import CustomerRow
from models.tables.ledger import EffectRow
from tests.support.crm_worker import write_until_killed
from tests.support.forked import forked
from tests.support.pulls import CIPHER, Providers, connect
from tests.support.simulators import running_simulators
from tests.support.steps import Standing, stand_at

pytestmark = pytest.mark.integration
STEP = {
    "write_crm": {
        "properties": {"everstay_tier": "rescue of $customer"},
        "note": "$customer <is> at risk",
    }
}
NOTES, COMPANIES = "/crm/v3/objects/notes", "/crm/v3/objects/companies"
SETTLE = dt.timedelta(seconds=60)


@pytest.fixture
def providers() -> Providers:
    return Providers()


@pytest.fixture
async def url(providers: Providers, tmp_path: Path) -> AsyncIterator[str]:
    async with running_simulators(providers.options(tmp_path)) as address:
        yield address


@pytest.fixture
async def standing(database: Database, url: str, providers: Providers) -> Standing:
    """A run at the step, of a customer whom HubSpot knows; only `everstay_tier` may be set there."""
    found = await stand_at(database, STEP)
    await connect(database, "hubspot", url)
    company = next(iter(providers.hubspot.rows["companies"]))
    async with database.transaction() as session:
        mine = update(CustomerRow).where(CustomerRow.id == found.scene.customer_id)
        await session.execute(mine.values(source_id="hubspot", external_id=company))
        row = await session.get_one(ConnectionRow, "hubspot")
        row.options = {**row.options, "writes": "everstay_tier, other"}
    return found


async def write(standing: Standing, attempt: int = 1) -> PerformResult:
    tools = CrmTools(CIPHER, SETTLE)
    performer = CrmPerformer(standing.database, standing.clock, tools, open_crm_writer)
    return await standing.perform(performer, attempt)


async def write_at_last(standing: Standing) -> PerformResult:
    """Try as Temporal does, with its pauses."""
    for attempt in range(1, 20):
        try:
            return await write(standing, attempt)
        except ApplicationError:
            standing.clock.pass_by(LEASE + SETTLE)
    raise AssertionError("it never came through")


def fail(providers: Providers, fault: ReadFault, path: str, times: int = 1, seconds: float = 0.0) -> None:
    rule = ReadFaultRule(fault, times=times, path=path, seconds=seconds)
    providers.simulations["hubspot"].faults.append(rule)


def ours(providers: Providers) -> list[str]:
    """The notes that we left, by what they say."""
    rows = providers.hubspot.rows["notes"].values()
    return [row["properties"]["hs_note_body"] for row in rows if "hs_note_body" in row["properties"]]


def tier(providers: Providers) -> str | None:
    company = next(iter(providers.hubspot.rows["companies"].values()))
    found: str | None = company["properties"].get("everstay_tier")
    return found


async def test_properties_are_set_and_a_note_is_left_each_once(
    standing: Standing, providers: Providers
) -> None:
    for _ in range(2):
        assert (await write(standing)).state == "done"
    note, properties = await standing.effects()
    assert tier(providers) == "rescue of Acme"
    assert ours(providers) == [f"Acme &lt;is&gt; at risk<br><br>Everstay {note.delivery_id}"]
    assert {note.state, properties.state} == {EffectState.SENT}
    assert note.provider_message_id in providers.hubspot.rows["notes"]
    assert [key.rpartition("/")[2] for key in (note.key, properties.key)] == ["note", "properties"]
    company = next(iter(providers.hubspot.rows["companies"]))
    assert note.provider_message_id in providers.hubspot.links["companies", "notes"][company]


@pytest.mark.parametrize("fault", [ReadFault.DROP, ReadFault.SERVER_ERROR, ReadFault.RATE_LIMIT])
@pytest.mark.parametrize("path", [NOTES, COMPANIES])
async def test_whatever_goes_wrong_once_there_is_one_note_in_the_end(
    standing: Standing, providers: Providers, fault: ReadFault, path: str
) -> None:
    fail(providers, fault, path)
    assert (await write_at_last(standing)).state == "done"
    assert (tier(providers), len(ours(providers))) == ("rescue of Acme", 1)
    assert {effect.state for effect in await standing.effects()} == {EffectState.SENT}


async def test_a_note_that_was_taken_and_whose_answer_was_lost_is_found_and_not_repeated(
    standing: Standing, providers: Providers
) -> None:
    fail(providers, ReadFault.DROP, NOTES)
    with pytest.raises(ApplicationError, match=IN_DOUBT):
        await write(standing)
    standing.clock.pass_by(LEASE)
    with pytest.raises(ApplicationError, match="another attempt"):
        await write(standing, 2)
    standing.clock.pass_by(SETTLE)
    assert (await write(standing, 3)).state == "done"
    asked = providers.simulations["hubspot"].asked
    assert [one for one in asked if one.startswith("POST")] == [f"POST {NOTES}", f"POST {NOTES}/search"]


async def test_while_the_search_is_away_a_note_in_doubt_stays_in_doubt(
    standing: Standing, providers: Providers
) -> None:
    fail(providers, ReadFault.DROP, NOTES)
    with pytest.raises(ApplicationError, match=IN_DOUBT):
        await write(standing)
    fail(providers, ReadFault.SERVER_ERROR, f"{NOTES}/search", times=50)
    standing.clock.pass_by(LEASE + SETTLE)
    with pytest.raises(ApplicationError, match=IN_DOUBT):
        await write(standing, 2)
    standing.clock.pass_by(LEASE + SETTLE)
    assert (await write(standing, QUICK_RETRIES)).state == "deferred"
    note, _ = await standing.effects()
    assert (note.state, note.lease_until is not None) == (EffectState.CLAIMED, True)
    assert len(ours(providers)) == 1


async def test_a_crm_that_is_away_for_long_puts_the_step_off(
    standing: Standing, providers: Providers
) -> None:
    fail(providers, ReadFault.RATE_LIMIT, COMPANIES, times=50)
    for attempt in range(1, QUICK_RETRIES):
        with pytest.raises(ApplicationError, match=NOT_TAKEN):
            await write(standing, attempt)
    assert (await write(standing, QUICK_RETRIES)).state == "deferred"
    row = await standing.row()
    assert (row.reason, row.due_at) == ("crm_unavailable", standing.clock.at + PUT_OFF)


async def test_an_attempt_that_was_overtaken_does_not_fail_the_later_one(
    standing: Standing, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(providers, ReadFault.UNAUTHORIZED, COMPANIES)
    asked = HubSpotWriter.set_properties

    async def overtaken(self: HubSpotWriter, company: str, values: Mapping[str, str]) -> None:
        async with standing.database.transaction() as session:
            await session.execute(update(EffectRow).values(attempts=EffectRow.attempts + 1))
        await asked(self, company, values)

    monkeypatch.setattr(HubSpotWriter, "set_properties", overtaken)
    with pytest.raises(ApplicationError, match=OVERTAKEN):
        await write(standing)
    assert [effect.state for effect in await standing.effects()] == [EffectState.CLAIMED]


async def test_a_refusal_fails_the_step_and_the_run_goes_on(standing: Standing, providers: Providers) -> None:
    fail(providers, ReadFault.UNAUTHORIZED, COMPANIES)
    result = await write(standing)
    assert (result.state, result.reason) == ("failed", "crm_refused")
    assert [effect.state for effect in await standing.effects()] == [EffectState.FAILED]
    assert ours(providers) == []


async def test_what_the_connection_does_not_allow_is_not_set(
    standing: Standing, database: Database, providers: Providers
) -> None:
    async with database.transaction() as session:
        row = await session.get_one(ConnectionRow, "hubspot")
        row.options = {**row.options, "writes": "another"}
    result = await write(standing)
    assert (result.state, result.reason) == ("failed", "crm_property_not_allowed")
    assert "everstay_tier to be set; name them in its option writes" in (await standing.sentences())[-1]
    assert (tier(providers), await standing.effects()) == (None, [])


async def test_without_a_crm_that_knows_the_customer_the_step_is_left_out(database: Database) -> None:
    standing = await stand_at(database, STEP)
    result = await write(standing)
    assert (result.state, result.reason) == (StepState.SKIPPED.value, "no_crm_connected")
    assert "no CRM that knows the customer is connected" in (await standing.sentences())[-1]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("point", ["before_call", "after_call"])
@pytest.mark.parametrize("part", [PROPERTIES, NOTE])
async def test_after_the_kill_of_a_worker_on_either_side_of_the_crm_each_part_is_written_once(
    standing: Standing, providers: Providers, part: str, point: str
) -> None:
    with forked(write_until_killed, standing.database.url, standing.run_id, part, point) as doomed:
        assert await doomed.reached() == [part]
        doomed.kill()
    left = {effect.key.rpartition("/")[2]: effect for effect in await standing.effects()}[part]
    assert left.state is EffectState.CLAIMED
    assert left.lease_until is not None
    assert len(ours(providers)) == int((part, point) == (NOTE, "after_call"))
    standing.clock.wall = left.claimed_at
    with pytest.raises(ApplicationError, match="another attempt"):
        await write(standing, 2)
    standing.clock.wall = WallInstant(left.lease_until + SETTLE)
    assert (await write(standing, 3)).state == "done"
    assert (tier(providers), len(ours(providers))) == ("rescue of Acme", 1)
    assert {effect.state for effect in await standing.effects()} == {EffectState.SENT}
    kept = {effect.key.rpartition("/")[2]: effect for effect in await standing.effects()}[part]
    assert (kept.delivery_id, kept.attempts) == (left.delivery_id, 2)
