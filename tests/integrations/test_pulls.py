"""Readers, translators and the intake together: simulated accounts over HTTP, a real Postgres."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts_pulls import FinishPullInput, PullStreamInput
from activities.import_replay import Correction, replay
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from integrations.simulators.providers import ReadFault, ReadFaultRule
from integrations.stripe_facts import facts_of
from integrations.tabular import FileReader
from models.asked_objects import ask_for
from models.clock import open_clock, start_clock, wall_now
from models.database import Database
from models.intake import Item, take_in
from models.pulls import begin_run, end_run, list_runs
from models.views.data import load_newest_pulls
from tests.support.pulls import Providers, activities_of, connect, pull, rows, soon, value
from tests.support.simulators import running_simulators
from workers.rescorer import Rescorer

pytestmark = pytest.mark.integration

CUSTOMERS = 12


@pytest.fixture
def providers() -> Providers:
    return Providers()


@pytest.fixture
async def url(providers: Providers, tmp_path: Path) -> AsyncIterator[str]:
    async with running_simulators(providers.options(tmp_path)) as address:
        yield address


async def test_hubspot_gives_customers_people_and_talk_in_both_directions(
    database: Database, url: str
) -> None:
    await connect(database, "hubspot", url, customers=True)
    told = await pull(database, "hubspot")
    assert await value(database, "SELECT count(*) FROM customers") == CUSTOMERS
    assert await value(database, "SELECT count(*) FROM contacts WHERE email = lower(email)") == 3 * CUSTOMERS
    assert (
        await value(database, "SELECT count(*) FROM customers WHERE arr_minor > 0 AND currency = 'EUR'")
        == CUSTOMERS
    )
    assert await rows(
        database, "SELECT channel, direction, count(*) FROM touchpoints GROUP BY 1, 2 ORDER BY 1, 2"
    ) == [
        ("call", "out", CUSTOMERS),
        ("email", "in", CUSTOMERS),
        ("email", "out", 2 * CUSTOMERS),
        ("meeting", "out", CUSTOMERS),
        ("note", "out", CUSTOMERS),
    ]
    assert (
        await value(database, "SELECT count(*) FROM meetings WHERE kind = 'qbr' AND held_at IS NOT NULL")
        == CUSTOMERS
    )
    assert await value(database, "SELECT count(*) FROM quarantined_rows") == 0
    assert told["companies"].read >= CUSTOMERS + 3


@pytest.mark.parametrize("provider", ["hubspot", "zendesk", "stripe"])
async def test_a_second_pass_stores_nothing(database: Database, url: str, provider: str) -> None:
    await connect(database, provider, url, customers=True)
    first = await pull(database, provider)
    assert sum(one.stored for one in first.values()) > 0
    assert sum(one.stored for one in (await pull(database, provider)).values()) == 0
    assert await value(database, "SELECT count(*) FROM quarantined_rows") == 0


async def test_zendesk_and_stripe_speak_of_hubspots_customers(database: Database, url: str) -> None:
    for provider in ("hubspot", "zendesk", "stripe"):
        await connect(database, provider, url, customers=provider == "hubspot")
        await pull(database, provider)
    assert await value(database, "SELECT count(*) FROM customers") == CUSTOMERS
    assert await value(database, "SELECT count(DISTINCT customer_id) FROM tickets") == CUSTOMERS
    assert await value(database, "SELECT count(DISTINCT customer_id) FROM subscriptions") == CUSTOMERS
    assert await value(database, "SELECT count(*) FROM quarantined_rows") == 0
    assert await value(database, "SELECT count(*) FROM contacts") == 3 * CUSTOMERS
    assert await value(database, "SELECT count(*) FROM tickets WHERE contact_id IS NULL") == 0


async def test_who_is_told_of_before_being_a_customer_waits_and_is_not_lost(
    database: Database, url: str
) -> None:
    await connect(database, "stripe", url)
    await pull(database, "stripe")
    assert await value(database, "SELECT count(*) FROM subscriptions") == 0
    waiting = await value(database, "SELECT count(*) FROM quarantined_rows WHERE state = 'open'")
    assert waiting >= 4 * CUSTOMERS
    await connect(database, "hubspot", url, customers=True)
    await pull(database, "hubspot")
    await pull(database, "stripe")
    assert await value(database, "SELECT count(*) FROM subscriptions") == CUSTOMERS
    assert await value(database, "SELECT count(*) FROM invoices") == 3 * CUSTOMERS
    assert await value(database, "SELECT count(*) FROM quarantined_rows WHERE state = 'open'") == 0


async def test_tickets_carry_targets_answers_and_ends(
    database: Database, url: str, providers: Providers
) -> None:
    await connect(database, "zendesk", url, customers=True)
    await pull(database, "zendesk")
    (ticket,) = await rows(
        database,
        "SELECT priority, first_response_due_at - opened_at, first_responded_at - opened_at,"
        " resolved_at IS NULL, escalated, resolve_due_at IS NULL FROM tickets WHERE external_id = '101'",
    )
    assert ticket[0] == "urgent"
    assert (ticket[1].total_seconds(), ticket[2].total_seconds()) == (3600, 46 * 60)
    assert ticket[3:] == (True, True, True)
    assert await value(database, "SELECT count(*) FROM surveys WHERE kind = 'csat'") == 2 * CUSTOMERS
    assert await rows(database, "SELECT direction, count(*) FROM touchpoints GROUP BY 1 ORDER BY 1") == [
        ("in", 3 * CUSTOMERS),
        ("out", 3 * CUSTOMERS),
    ]


async def test_without_an_sla_the_targets_go_by_priority_and_follow_it(
    database: Database, url: str, providers: Providers
) -> None:
    providers.zendesk.has_slas = False
    for ticket in providers.zendesk.rows["tickets"].values():
        ticket["metric_events"] = {}
    await connect(database, "zendesk", url, customers=True)
    await pull(database, "zendesk")
    minutes = (
        "SELECT extract(epoch FROM resolve_due_at - opened_at) / 60 FROM tickets WHERE external_id = '101'"
    )
    assert await value(database, minutes) == 24 * 60
    providers.zendesk.change("tickets", 101, soon(), priority="high", subject="Edited", raw_subject="Edited")
    await pull(database, "zendesk")
    assert await value(database, minutes) == 2 * 24 * 60
    assert await value(database, "SELECT count(*) FROM quarantined_rows") == 0


async def test_more_seats_end_the_old_term_and_begin_another(
    database: Database, url: str, providers: Providers
) -> None:
    await connect(database, "stripe", url, customers=True)
    await pull(database, "stripe")
    item = dict(providers.stripe.rows["subscriptions"]["sub_0001"]["items"]["data"][0])
    items = {"object": "list", "has_more": False, "data": [item | {"quantity": 500}]}
    providers.stripe.change("subscriptions", "sub_0001", soon(), items=items)
    for _ in range(2):
        await pull(database, "stripe")
    terms = await rows(
        database,
        "SELECT seats = 500, ended_at IS NULL, mrr_minor = 500 * 10000 FROM subscriptions"
        " WHERE external_id LIKE 'sub_0001#%' ORDER BY started_at",
    )
    assert terms == [(False, False, False), (True, True, True)]


async def test_a_stripe_that_lives_on_business_time_is_taken_at_its_word(
    database: Database, url: str, providers: Providers
) -> None:
    since = BusinessInstant(dt.datetime(2031, 5, 1, tzinfo=dt.UTC))
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=since)
    await connect(database, "stripe", url, customers=True, clock="business")
    await pull(database, "stripe")
    now = (await open_clock(database)).now().replace(microsecond=0)
    moments = {"finalized_at": int(now.timestamp()), "paid_at": None}
    known = providers.stripe.rows["invoices"]["in_00010"]
    providers.stripe.rows["invoices"]["in_new"] = known | {"id": "in_new", "status_transitions": moments}
    providers.stripe.change("invoices", "in_new", now, status="open")
    await pull(database, "stripe")
    query = "SELECT issued_at, told_at >= issued_at FROM invoices WHERE external_id = 'in_new'"
    assert await rows(database, query) == [(now, True)]
    assert await value(database, "SELECT max(issued_at) FROM invoices") == now


async def test_a_subscription_that_ends_takes_its_customer_along_with_the_reason(
    database: Database, url: str, providers: Providers
) -> None:
    await connect(database, "stripe", url, customers=True)
    await pull(database, "stripe")
    why = {"feedback": "too_expensive", "comment": None, "reason": "cancellation_requested"}
    ended = int(soon().timestamp())
    providers.stripe.change(
        "subscriptions", "sub_0002", soon(), status="canceled", ended_at=ended, cancellation_details=why
    )
    await pull(database, "stripe")
    query = "SELECT status, cancellation_reason FROM customers WHERE external_id = 'cus_0002'"
    assert await rows(database, query) == [("churned", "too_expensive")]


async def test_an_object_that_a_webhook_named_is_read_by_itself(
    database: Database, url: str, providers: Providers
) -> None:
    await connect(database, "zendesk", url, customers=True)
    await pull(database, "zendesk")
    async with database.transaction() as session:
        await ask_for(session, "zendesk", "tickets", "101")
        await ask_for(session, "zendesk", "tickets", "999999")
    providers.zendesk.rows["tickets"][101]["tags"] = []
    providers.zendesk.rows["tickets"][101]["status"] = "solved"
    providers.zendesk.rows["tickets"][101]["metric_set"]["solved_at"] = "2026-11-01T00:00:00Z"
    told = await pull(database, "zendesk")
    assert told["asked"].stored == 1
    assert await value(database, "SELECT resolved_at IS NOT NULL FROM tickets WHERE external_id = '101'")
    assert (await pull(database, "zendesk"))["asked"].read == 0


@pytest.mark.parametrize("provider", ["hubspot", "zendesk", "stripe"])
async def test_a_reader_gets_over_limits_errors_broken_and_cut_off_answers(
    database: Database, url: str, providers: Providers, provider: str
) -> None:
    await connect(database, provider, url, customers=True)
    providers.simulations[provider].faults = [
        ReadFaultRule(ReadFault.RATE_LIMIT, times=2, every=5, seconds=0.05),
        ReadFaultRule(ReadFault.SERVER_ERROR, times=1, every=7),
        ReadFaultRule(ReadFault.DROP, times=1, every=11),
        ReadFaultRule(ReadFault.TRUNCATE, times=1, every=13),
    ]
    await pull(database, provider)
    assert [rule.times for rule in providers.simulations[provider].faults] == [0, 0, 0, 0]
    providers.simulations[provider].faults.clear()
    assert sum(one.stored for one in (await pull(database, provider)).values()) == 0
    assert await value(database, "SELECT count(*) FROM customers") == CUSTOMERS


async def test_a_long_wait_is_left_to_the_activitys_next_attempt(
    database: Database, url: str, providers: Providers
) -> None:
    await connect(database, "hubspot", url, customers=True)
    limit = ReadFaultRule(ReadFault.RATE_LIMIT, times=1, path="/crm/v3/objects/companies/search", seconds=120)
    providers.simulations["hubspot"].faults = [limit]
    with pytest.raises(ApplicationError) as refused:
        await pull(database, "hubspot")
    assert refused.value.next_retry_delay is not None
    assert refused.value.next_retry_delay.total_seconds() == 120
    assert not refused.value.non_retryable


@pytest.mark.parametrize("provider", ["hubspot", "zendesk", "stripe"])
async def test_a_token_that_is_not_accepted_ends_the_pass_with_a_sentence(
    database: Database, url: str, providers: Providers, provider: str
) -> None:
    await connect(database, provider, url, customers=True)
    providers.simulations[provider].faults = [ReadFaultRule(ReadFault.UNAUTHORIZED, times=99)]
    with pytest.raises(ApplicationError, match="connect it again with a valid one") as refused:
        await pull(database, provider)
    assert refused.value.non_retryable


async def test_a_bulk_change_within_one_millisecond_is_read_whole(
    database: Database, url: str, providers: Providers
) -> None:
    at = soon()
    for key in list(providers.hubspot.rows["contacts"]):
        providers.hubspot.change("contacts", key, at)
    await connect(database, "hubspot", url, customers=True)
    await pull(database, "hubspot")
    assert await value(database, "SELECT count(*) FROM contacts") == 3 * CUSTOMERS


async def test_history_is_dated_back_and_rings_nobody_but_for_the_new_customers(
    database: Database, url: str
) -> None:
    await connect(database, "stripe", url, customers=True)
    await pull(database, "stripe")
    known = "SELECT count(*) FROM invoices WHERE known_at < now() - interval '30 days'"
    assert await value(database, known) == await value(database, "SELECT count(*) FROM invoices")
    assert await rows(database, "SELECT DISTINCT kind FROM outbox") == [("customer_added",)]


async def test_history_has_its_customers_scored_once_all_of_it_was_read(database: Database, url: str) -> None:
    await connect(database, "hubspot", url, customers=True)
    activities, environment = await activities_of(database), ActivityEnvironment()
    for stream in ("companies", "contacts"):
        await environment.run(activities.pull_stream, PullStreamInput("hubspot", stream))
    assert await rows(database, "SELECT DISTINCT reason FROM rescore_queue") == [("history",)]
    rescorer = Rescorer(database, await open_clock(database), 0)
    assert await rescorer.run() == 0
    await environment.run(activities.finish_pull, FinishPullInput("hubspot"))
    assert await rescorer.run() == CUSTOMERS
    assert await value(database, "SELECT count(*) FROM customers WHERE health_status IS NULL") == 0
    await pull(database, "hubspot")
    await pull(database, "hubspot")
    assert await value(database, "SELECT count(*) FROM rescore_queue WHERE reason = 'history'") == 0


@pytest.mark.parametrize("keeps_customers", [True, False])
async def test_a_company_that_becomes_a_customer_later_brings_its_people_and_talk_along(
    database: Database, url: str, providers: Providers, *, keeps_customers: bool
) -> None:
    await connect(database, "hubspot", url, customers=keeps_customers)
    companies = providers.hubspot.rows["companies"]
    lead = next(key for key, row in companies.items() if row["properties"]["lifecyclestage"] == "lead")
    await pull(database, "hubspot")
    assert await rows(database, "SELECT * FROM pull_cursors WHERE stream = 'asked' AND cursor <> '{}'") == []
    providers.hubspot.change("companies", lead, soon(), lifecyclestage="customer")
    await pull(database, "hubspot")
    told = await pull(database, "hubspot")
    assert told["asked"].read == 3 + 1 + 3 + 2 + 1 + 1  # people, deal, e-mails, calls, meeting, note
    if keeps_customers:
        assert await value(database, "SELECT count(*) FROM contacts") == 3 * (CUSTOMERS + 1)
        touches = "SELECT count(*) FROM touchpoints JOIN customers ON customers.id = customer_id"
        assert await value(database, f"{touches} WHERE customers.external_id = '{lead}'") == 6
        assert await value(database, "SELECT count(*) FROM quarantined_rows") == 0
    assert (await pull(database, "hubspot"))["asked"].read == 0


async def test_the_data_page_has_one_line_per_connection_and_a_failing_stream_names_itself(
    database: Database, url: str
) -> None:
    for provider in ("stripe", "zendesk"):
        await connect(database, provider, url, customers=provider == "stripe")
        await pull(database, provider)
    async with database.transaction() as session:
        stripe, zendesk = await load_newest_pulls(session)
        assert len(await list_runs(session, "stripe")) == 1 + 4
    assert (stripe.source, stripe.stream, stripe.state) == ("stripe", "4 streams", "done")
    assert (zendesk.source, zendesk.stream, zendesk.state) == ("zendesk", "5 streams", "done")
    assert stripe.read == await value(database, "SELECT sum(read) FROM pull_runs WHERE source_id = 'stripe'")
    async with database.transaction() as session:
        run_id = uuid.uuid4()
        await begin_run(session, run_id, "stripe", "events", wall_now())
        await end_run(session, run_id, wall_now(), "It is refused.")
    async with database.transaction() as session:
        stripe, _ = await load_newest_pulls(session)
    assert (stripe.stream, stripe.state, stripe.error) == ("events", "failed", "It is refused.")


async def test_changes_that_stripe_no_longer_tells_of_are_found_by_reading_everything_again(
    database: Database, url: str, providers: Providers
) -> None:
    await connect(database, "stripe", url, customers=True)
    providers.stripe.tell("invoice.updated", providers.stripe.rows["invoices"]["in_00010"], soon())
    await pull(database, "stripe")
    providers.stripe.rows["events"].clear()
    providers.stripe.rows["subscriptions"]["sub_0003"]["items"]["data"][0]["quantity"] = 700
    told = await pull(database, "stripe")
    assert told["events"].restarts == 3
    seats = "SELECT seats FROM subscriptions WHERE external_id LIKE 'sub_0003#%' AND ended_at IS NULL"
    assert await rows(database, seats) == [(700,)]
    assert await value(database, "SELECT count(*) FROM quarantined_rows") == 0


async def test_an_older_word_about_a_subscription_does_not_turn_back_what_is_agreed_now(
    database: Database, url: str, providers: Providers
) -> None:
    await connect(database, "stripe", url, customers=True)
    old = dict(providers.stripe.rows["subscriptions"]["sub_0004"])
    await pull(database, "stripe")
    item = dict(old["items"]["data"][0]) | {"quantity": 900}
    providers.stripe.change("subscriptions", "sub_0004", soon(), items={"data": [item]})
    await pull(database, "stripe")
    known_at = BusinessInstant(soon() - dt.timedelta(minutes=1))
    timeline = Timeline((Segment(WallInstant(known_at), known_at, 1.0),))
    late = Item("subscriptions", "sub_0004", tuple(facts_of("subscription", old, known_at, timeline)))
    async with database.transaction() as session:
        tally = await take_in(session, "stripe", [late], wall_now(), BusinessInstant(soon()))
    assert (tally.stored, tally.duplicates, tally.quarantined) == (0, 1, 0)
    seats = "SELECT seats FROM subscriptions WHERE external_id LIKE 'sub_0004#%' AND ended_at IS NULL"
    assert await rows(database, seats) == [(900,)]


async def test_a_quarantined_object_is_read_anew_when_a_person_replays_it(
    database: Database, url: str, providers: Providers
) -> None:
    await connect(database, "zendesk", url, customers=True)
    ticket = providers.zendesk.rows["tickets"][101]
    opened, ticket["created_at"] = ticket["created_at"], "long ago"
    await pull(database, "zendesk")
    bad = await rows(database, "SELECT id, kind, field, reason FROM quarantined_rows WHERE file = 'tickets'")
    assert [row[1:] for row in bad] == [("invalid", "created_at", "'long ago' is no instant")]
    ticket["created_at"] = opened
    told = await replay(database, FileReader(), bad[0][0], Correction(), wall_now())
    assert told.still is not None
    assert "read anew" in told.still.reason
    await pull(database, "zendesk")
    assert await value(database, "SELECT count(*) FROM quarantined_rows WHERE state = 'open'") == 0
    assert await value(database, "SELECT count(*) FROM tickets WHERE external_id = '101'") == 1
