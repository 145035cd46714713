"""Mail about warnings to our own people: to the right one, once, in time, and only what still holds."""

import asyncio
import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update

from domain.delivery_events import DeliveryEvent, DeliveryEventKind
from domain.notifications import MailChoice
from domain.time import BusinessInstant, business
from domain.vocabulary import EffectState, HeadsUpState, Role, Severity, SignalKind, SignalState
from integrations.fake_email import FakeEmailSender
from integrations.faults import Fault, FaultPlan, FaultRule
from models.database import Database
from models.heads_up_mails import load_unsettled, reclaim_mail
from models.heads_ups import reassign_heads_up, snooze_heads_up
from models.installation import start_effects, stop_effects
from models.provider_events import apply_events, store_events
from models.tables.ledger import EffectRow, OutboxRow, TouchpointRow
from models.tables.scoring import MassAlertRow, SignalRow
from models.tables.work import HeadsUpRow
from tests.support.office import HOURS, MINUTES, Office

pytestmark = pytest.mark.integration


@pytest.fixture
async def office(database: Database) -> Office:
    made = Office(database)
    await made.user("mia", Role.MANAGER)
    await made.user("carl", manager="mia")
    await made.user("dora", manager="mia")
    return made


async def test_several_warnings_within_minutes_are_one_mail_with_the_largest_revenue_first(
    office: Office,
) -> None:
    await office.customer("Small", "carl", arr=100)
    await office.customer("Large", "carl", arr=90_000)
    await office.warn("Small", Severity.CRITICAL)
    office.clock.move(MINUTES)
    await office.warn("Large")
    assert await office.round() == 0
    assert await office.later() == 1
    (mail,) = office.sender.accepted
    assert mail.subject == "2 warnings at 2 customers, first Large"
    for body in (mail.text, mail.html):
        assert body.index("Large") < body.index("Small")
        assert "Usage drop at Large" in body
        assert "baseline 120, now 40, newest 16 November" in body
        assert "$90,000 ARR, renews on 3 March 2027" in body
        assert f"https://everstay.example/customers/{office.customers['Large']}" in body
        assert "https://everstay.example/me/notifications" in body
    assert await office.later() == 0


async def test_it_is_no_contact_with_the_customer(office: Office) -> None:
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    await office.later()
    (effect,) = await office.effects()
    assert (effect.kind, effect.customer_id, effect.user_id) == ("internal_email", None, office.users["carl"])
    async with office.database.transaction() as session:
        assert list(await session.scalars(select(TouchpointRow.id))) == []


async def test_the_same_signal_twice_is_one_warning_and_one_mail(office: Office) -> None:
    await office.customer("Acme", "carl")
    assert await office.warn("Acme")
    assert not await office.warn("Acme")
    await office.later()
    assert not await office.warn("Acme")
    await office.later()
    assert office.mails() == [("carl", "Acme: Usage drop at Acme")]


@pytest.mark.parametrize("state", [HeadsUpState.CLOSED, HeadsUpState.ACKNOWLEDGED])
async def test_what_is_closed_or_seen_before_the_mail_leaves_is_left_out(
    office: Office, state: HeadsUpState
) -> None:
    for name in ("Acme", "Globex"):
        await office.customer(name, "carl")
        await office.warn(name)
    await office.close("Acme", state)
    await office.later()
    assert office.mails() == [("carl", "Globex: Usage drop at Globex")]


async def test_an_unowned_customer_is_the_managers_until_it_gets_an_owner(office: Office) -> None:
    await office.customer("Acme", None)
    await office.warn("Acme")
    assert await office.owners() == {"Acme": "mia"}
    await office.give("Acme", "dora")
    await office.later()
    assert await office.owners() == {"Acme": "dora"}
    assert office.mails() == []
    await office.later()
    assert office.mails() == [("dora", "Acme: Usage drop at Acme")]


async def test_who_stands_in_reads_whose_customer_it_is(office: Office) -> None:
    await office.customer("Acme", "carl")
    await office.choose("carl", away_until=business(office.now + 10 * HOURS))
    await office.warn("Acme")
    await office.later()
    (mail,) = office.sender.accepted
    assert mail.to.email == "mia@vendor.example"
    assert "Carl owns it; this comes to you instead." in mail.text
    await office.later(11 * HOURS)
    assert await office.owners() == {"Acme": "carl"}


async def test_a_disabled_owner_gets_nothing_and_the_manager_all(office: Office) -> None:
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    await office.disable("carl")
    await office.later()
    await office.later()
    assert office.mails() == [("mia", "Acme: Usage drop at Acme")]


async def test_the_digest_comes_on_the_next_weekday_morning_ranked_by_revenue(office: Office) -> None:
    office.clock.put(dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC))
    for name, arr in (("Small", 100), ("Large", 90_000), ("Middle", 5000)):
        await office.customer(name, "carl", arr=arr)
        await office.warn(name, Severity.MEDIUM)
    for hours in range(64):
        office.clock.put(dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.UTC) + hours * HOURS)
        assert await office.round() == 0
    office.clock.put(dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC))
    assert await office.round() == 1
    (mail,) = office.sender.accepted
    assert mail.subject == "This morning: 3 new warnings at 3 customers"
    assert mail.text.index("Large") < mail.text.index("Middle") < mail.text.index("Small")
    assert [effect.key for effect in await office.effects()] == [f"digest/{office.users['carl']}/2026-11-23"]
    assert await office.later(24 * HOURS) == 0


@pytest.mark.parametrize(("day", "hour"), [(dt.date(2026, 3, 30), 6), (dt.date(2026, 10, 26), 7)])
async def test_the_digest_after_the_clocks_changed_comes_at_eight_on_the_wall(
    database: Database, day: dt.date, hour: int
) -> None:
    friday = dt.datetime.combine(day - dt.timedelta(days=3), dt.time(15), tzinfo=dt.UTC)
    office = Office(database, business(friday))
    await office.user("bea", time_zone="Europe/Berlin")
    await office.customer("Acme", "bea")
    await office.warn("Acme", Severity.INFO)
    morning = dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC)
    office.clock.put(morning - dt.timedelta(seconds=1))
    assert await office.round() == 0
    office.clock.put(morning)
    assert await office.round() == 1
    assert morning.astimezone(ZoneInfo("Europe/Berlin")).hour == 8


async def test_a_mass_alert_of_three_hundred_customers_is_one_mail(office: Office) -> None:
    alert = await office.mass_alert()
    for number in range(300):
        await office.customer(f"Customer {number}", "carl", arr=number)
    for number in range(299):
        office.clock.move(dt.timedelta(seconds=1))
        await office.warn(f"Customer {number}", alert=alert)
    assert await office.round() == 0
    assert await office.later() == 1
    (mail,) = office.sender.accepted
    assert mail.subject == "299 customers at once: Usage drop at Customer 298"
    assert "And 274 more customers." in mail.text
    await office.warn("Customer 299", alert=alert)
    assert await office.later() == 0
    office.clock.put(dt.datetime(2026, 11, 18, 8, 0, tzinfo=dt.UTC))
    await office.round()
    assert office.mails()[1:] == [("carl", "This morning: 1 new warning at Customer 299")]


async def test_everyone_may_choose_by_severity(office: Office) -> None:
    await office.customer("Acme", "carl")
    await office.choose("carl", high=MailChoice.NEVER, medium=MailChoice.AT_ONCE)
    await office.warn("Acme", Severity.HIGH)
    await office.warn("Acme", Severity.MEDIUM, SignalKind.LOGIN_SILENCE)
    await office.later()
    await office.later(72 * HOURS)
    assert office.mails() == [("carl", "Acme: Login silence at Acme")]


async def test_a_snoozed_warning_is_told_when_it_comes_back(office: Office) -> None:
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    async with office.database.transaction() as session:
        warning = (await session.scalars(select(HeadsUpRow.id))).one()
        await snooze_heads_up(session, warning, business(office.now + 5 * HOURS), office.now)
    assert await office.later() == 0
    await office.later(5 * HOURS)
    assert office.mails() == [("carl", "Acme: Usage drop at Acme")]


async def test_stopped_effects_stop_it_and_observing_does_not(office: Office) -> None:
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    async with office.database.transaction() as session:
        await stop_effects(session, office.now)
    assert await office.later() == 0
    async with office.database.transaction() as session:
        await start_effects(session, office.now, office.clock.wall_now())
    assert await office.round() == 1


async def test_a_mail_that_was_not_taken_is_tried_again_without_what_was_closed(office: Office) -> None:
    office.sender.faults = FaultPlan([FaultRule("", Fault.UNAVAILABLE, 2)])
    for name in ("Acme", "Globex"):
        await office.customer(name, "carl")
        await office.warn(name)
    assert await office.later() == 0
    assert await office.later(dt.timedelta(seconds=1)) == 0
    await office.close("Acme")
    assert await office.later(dt.timedelta(seconds=10)) == 0
    assert await office.later(dt.timedelta(seconds=30)) == 1
    assert office.mails() == [("carl", "Globex: Usage drop at Globex")]


async def test_a_mail_of_which_nothing_is_left_does_not_leave_and_what_comes_back_is_told(
    office: Office,
) -> None:
    office.sender.faults = FaultPlan([FaultRule("", Fault.UNAVAILABLE, 1)])
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    await office.later()
    await office.give("Acme", "dora")
    await office.later()
    await office.later()
    assert office.mails() == [("dora", "Acme: Usage drop at Acme")]
    states = sorted(effect.state for effect in await office.effects())
    assert states == [EffectState.FAILED, EffectState.SENT]


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_HANG, Fault.DROP])
async def test_a_mail_in_doubt_is_looked_up_and_never_sent_twice(office: Office, fault: Fault) -> None:
    office.sender.faults = FaultPlan([FaultRule("", fault, 1)])
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    assert await office.later() == 0
    await office.later(dt.timedelta(seconds=16))
    await office.later()
    assert office.mails() == [("carl", "Acme: Usage drop at Acme")]
    (effect,) = await office.effects()
    assert effect.state is EffectState.SENT


async def test_without_a_look_up_a_mail_in_doubt_is_uncertain_and_not_repeated(office: Office) -> None:
    office.sender = FakeEmailSender(has_look_up=False, faults=FaultPlan([FaultRule("", Fault.DROP, 1)]))
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    await office.later()
    await office.later(24 * HOURS)
    assert office.mails() == []
    (effect,) = await office.effects()
    assert effect.state is EffectState.UNCERTAIN


async def test_two_processes_at_once_send_each_mail_once(office: Office) -> None:
    for number in range(12):
        await office.user(f"user{number}", manager="mia")
        await office.customer(f"Customer {number}", f"user{number}")
        await office.warn(f"Customer {number}")
    office.clock.move(4 * MINUTES)
    for _ in range(4):
        await asyncio.gather(office.stage().round(), office.stage().round())
    assert sorted(office.mails()) == sorted(
        (f"user{number}", f"Customer {number}: Usage drop at Customer {number}") for number in range(12)
    )


async def test_a_process_that_was_overtaken_since_it_asked_does_not_send_it_again(office: Office) -> None:
    office.sender.faults = FaultPlan([FaultRule("", Fault.DROP, 1)])
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    assert await office.later() == 0
    office.clock.move(MINUTES)
    async with office.database.transaction() as session:
        (found,) = await load_unsettled(session, office.clock.wall_now(), 10)
    assert await office.round() == 1
    async with office.database.transaction() as session:
        await session.execute(
            update(EffectRow).values(state=EffectState.CLAIMED)
        )  # sent, and not recorded yet
        assert await reclaim_mail(session, found, office.now, office.clock.wall_now()) is None


async def test_what_the_provider_says_of_it_settles_it_and_touches_no_customer(office: Office) -> None:
    office.sender = FakeEmailSender(has_look_up=False, faults=FaultPlan([FaultRule("", Fault.DROP, 1)]))
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    await office.later()
    (effect,) = await office.effects()
    bounced = DeliveryEvent(
        "e1", DeliveryEventKind.BOUNCED, effect.delivery_id, "carl@vendor.example", office.clock.wall_now()
    )
    async with office.database.transaction() as session:
        await store_events(session, "sendgrid", [bounced], office.clock.wall_now())
        assert await apply_events(session, office.clock.wall_now()) == 1
        assert list(await session.scalars(select(OutboxRow.kind))) == []
    (effect,) = await office.effects()
    assert effect.state is EffectState.CONFIRMED
    await office.later(24 * HOURS)
    assert len(await office.effects()) == 1


async def test_a_warning_handed_over_stays_with_that_colleague_until_they_leave(office: Office) -> None:
    await office.customer("Acme", "carl")
    await office.warn("Acme")
    async with office.database.transaction() as session:
        warning = (await session.scalars(select(HeadsUpRow.id))).one()
        await reassign_heads_up(session, warning, office.users["dora"], office.now)
    await office.give("Acme", "mia")
    await office.later()
    assert office.mails() == [("dora", "Acme: Usage drop at Acme")]
    await office.disable("dora")
    await office.later()
    assert await office.owners() == {"Acme": "mia"}


async def test_a_mass_alert_that_is_held_back_is_one_mail_to_each_manager(office: Office) -> None:
    await office.user("max", Role.MANAGER)
    await office.choose("max", high=MailChoice.NEVER)
    alert = await office.mass_alert("held")
    for number in range(300):
        await office.customer(f"Customer {number}", "carl", arr=number)
    async with office.database.transaction() as session:
        rows = [held_signal(key, alert, office.now) for key in office.customers.values()]
        await session.execute(insert(SignalRow), rows)
    office.sender.faults = FaultPlan([FaultRule("", Fault.UNAVAILABLE, 1)])
    for _ in range(3):
        await office.later()
    (mail,) = office.sender.accepted
    assert mail.to.email == "mia@vendor.example"
    assert mail.subject == "Held back: 300 customers at once show the same signal"
    assert "Nobody was warned" in mail.text
    assert "Owner: Carl" in mail.text
    assert "And 275 more customers." in mail.html


async def test_an_alert_that_was_released_before_the_mail_left_makes_none(office: Office) -> None:
    office.sender.faults = FaultPlan([FaultRule("", Fault.UNAVAILABLE, 1)])
    await office.mass_alert("held")
    await office.later()
    async with office.database.transaction() as session:
        await session.execute(update(MassAlertRow).values(state="released"))
    await office.later()
    assert office.mails() == []
    assert [effect.state for effect in await office.effects()] == [EffectState.FAILED]


def held_signal(customer_id: uuid.UUID, alert: uuid.UUID, now: BusinessInstant) -> dict[str, object]:
    return {
        "id": uuid.uuid4(),
        "customer_id": customer_id,
        "kind": SignalKind.USAGE_DROP,
        "dedupe_key": "usage_drop",
        "severity": Severity.HIGH,
        "state": SignalState.OPEN,
        "title": "Use fell",
        "evidence": {},
        "is_baseline": True,
        "opened_at": now,
        "updated_at": now,
        "mass_alert_id": alert,
    }
