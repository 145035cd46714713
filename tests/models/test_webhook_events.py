"""What is written for endpoints that subscribe, in the transaction that changes the row."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text, update

from domain.errors import InvalidInputError
from domain.vocabulary import CustomerStatus, RiskTier, SignalKind
from domain.webhook_events import EVENT_TYPES, PATTERNS, EventType, check_events
from models.database import Database
from models.tables.customers import CustomerRow
from tests.support.events import messages, subscribe_to
from tests.support.scenario import Scenario
from tests.support.steps import MONDAY

pytestmark = pytest.mark.integration
URL = "https://crm.example/hooks"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "outgoing-webhooks.md"
FORBIDDEN = ("@", "Ann", "was seen")


async def test_the_triggers_tell_what_the_catalogue_says(database: Database) -> None:
    query = "SELECT encode(tgargs, 'escape') FROM pg_trigger WHERE tgname LIKE 'tell\\_%'"
    async with database.transaction() as session:
        found = [row[0].split("\\000")[:-1] for row in await session.execute(text(query))]
    told = {event: {one.partition("=")[0] for one in fields} for event, *fields in found}
    assert told == {one.name: set(one.fields) for one in EVENT_TYPES}


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda one: one.name)
def test_the_docs_list_every_event_with_its_fields(event: EventType) -> None:
    row = f"| `{event.name}` | {event.description} | {', '.join(f'`{name}`' for name in event.fields)} |"
    assert row in DOCS.read_text(encoding="utf-8"), f"put into the table: {row}"


async def test_events_are_written_with_what_causes_them_and_for_those_who_subscribe_only(
    database: Database,
) -> None:
    scene = await Scenario(database, MONDAY).begin()
    await scene.open_signal(SignalKind.USAGE_DROP)
    await subscribe_to(database, URL, ["signal.*", "customer.tier_changed"])
    await subscribe_to(database, URL, ["signal.resolved"], key="other")
    await scene.set_tier(RiskTier.HIGH)
    await scene.set_tier(RiskTier.HIGH)
    await scene.resolve_signal(SignalKind.USAGE_DROP)
    found = [(one.endpoint, one.type) for one in await messages(database)]
    assert sorted(found) == [
        ("crm-sync", "customer.tier_changed"),
        ("crm-sync", "signal.resolved"),
        ("other", "signal.resolved"),
    ]


async def test_what_is_rolled_back_was_never_told(database: Database) -> None:
    await Scenario(database, MONDAY).begin()
    await subscribe_to(database, URL)
    async with database.transaction() as session:
        await session.execute(update(CustomerRow).values(status=CustomerStatus.CHURNED))
        await session.rollback()
    assert await messages(database) == []


async def test_a_customer_who_leaves_and_comes_back_is_told_of_with_ids_and_words_alone(
    database: Database,
) -> None:
    scene = await Scenario(database, MONDAY).begin()
    await subscribe_to(database, URL)
    await scene.change(status=CustomerStatus.CHURNED, churned_at=MONDAY)
    await scene.change(status=CustomerStatus.ACTIVE)
    left, returned = await messages(database)
    assert (left.type, returned.type) == ("customer.churned", "customer.returned")
    assert left.data == {
        "customer": {"id": str(scene.customer_id), "external_id": "acme", "name": "Acme"},
        "churned_at": MONDAY.isoformat(),
        "cancellation_reason": None,
        "arr_minor": 4_800_000,
        "currency": "USD",
    }


async def test_no_message_holds_an_address_or_what_people_wrote(database: Database) -> None:
    scene = await Scenario(database, MONDAY).begin()
    await subscribe_to(database, URL)
    await scene.open_signal(SignalKind.QBR_MISSED)
    await scene.set_tier(RiskTier.CRITICAL)
    found = await messages(database)
    assert len(found) == 2
    assert not [word for one in found for word in FORBIDDEN if word in json.dumps(one.data)]


async def test_nobody_who_subscribes_costs_no_message(database: Database) -> None:
    scene = await Scenario(database, MONDAY).begin()
    await scene.open_signal(SignalKind.USAGE_DROP)
    assert await messages(database) == []


def test_a_subscription_names_events_that_exist() -> None:
    assert check_events(["run.*", " run.* ", "signal.opened"]) == ("run.*", "signal.opened")
    assert all(check_events([one]) == (one,) for one in PATTERNS)
    with pytest.raises(InvalidInputError, match=r"there is no run\.walked"):
        check_events(["run.walked"])
