import datetime as dt

import pytest
from sqlalchemy import select

from domain.errors import TransientProviderError
from domain.webhook_messages import Envelope
from integrations.calendar_feed import Feed, fetch_feed
from models.ciphers import Cipher
from models.clock import wall_now
from models.database import Database
from models.deliveries import MAX_ATTEMPTS, receive_delivery
from models.tables.facts import MeetingRow
from models.tables.ledger import TouchpointRow
from models.tables.tracking import SourceDayRow
from tests.support.sample_rows import Sample, fill
from tests.support.simulators import Receiver, running_receiver
from tests.support.web import SIGNING_KEY
from tests.support.webhooks import (
    StillClock,
    connect_provider,
    deliveries,
    intercom_notification,
    json_body,
    salesforce_message,
    settle,
)
from workers.calendar_feeds import CalendarFeeds

pytestmark = pytest.mark.integration


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=3)


async def receive(database: Database, source: str, name: str, body: bytes) -> None:
    async with database.transaction() as session:
        await receive_delivery(session, source, Envelope(name, None), body, None, wall_now())


def conversation(number: int) -> bytes:
    told = intercom_notification(id=f"c{number}")
    return json_body(told)


async def states(database: Database) -> dict[str, tuple[str, int]]:
    return {row.delivery_id: (row.state, row.attempts) for row in await deliveries(database)}


OTHER_KEY = "fedcba9876543210fedcba9876543210"


async def test_one_that_cannot_be_stored_now_is_put_off_and_the_others_go_on(
    database: Database, sample: Sample
) -> None:
    assert sample.customers
    await connect_provider(database, "intercom")
    await connect_provider(database, "salesforce", key=OTHER_KEY)  # its secrets cannot be read
    await receive(database, "salesforce", "first", salesforce_message(AccountId="C-1000"))
    await receive(database, "intercom", "second", b"no json")
    await receive(database, "intercom", "third", conversation(1))
    await settle(database)
    known = {"second": ("failed", 1), "third": ("processed", 1)}
    assert await states(database) == {"first": ("received", 1), **known}
    await connect_provider(database, "salesforce")
    assert await settle(database) == 0
    assert await settle(database, dt.timedelta(minutes=1)) == 1
    assert await states(database) == {"first": ("processed", 2), **known}


async def test_what_never_works_is_given_up_and_kept(database: Database, sample: Sample) -> None:
    assert sample.customers
    await connect_provider(database, "intercom", key=OTHER_KEY)
    await receive(database, "intercom", "first", conversation(1))
    for day in range(1, MAX_ATTEMPTS + 3):
        await settle(database, dt.timedelta(days=day))
    (row,) = await deliveries(database)
    assert (row.state, row.attempts) == ("failed", MAX_ATTEMPTS)
    assert "another EVERSTAY_SECRET_KEY" in str(row.error)


async def test_what_is_told_and_the_mark_on_the_delivery_are_one_transaction(
    database: Database, sample: Sample
) -> None:
    await connect_provider(database, "intercom")
    for number in range(5):
        await receive(database, "intercom", f"n{number}", conversation(number))
    await settle(database)
    await settle(database)
    async with database.transaction() as session:
        mine = TouchpointRow.source_id == "intercom"
        stored = (await session.scalars(select(TouchpointRow.external_id).where(mine))).all()
        counted = await session.scalar(select(SourceDayRow.stored).where(SourceDayRow.kind == "webhook"))
    assert len(stored) == 10
    assert counted == sum(row.stored for row in await deliveries(database)) == 15
    assert sample.customers


FEED = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//x//y\r
BEGIN:VEVENT\r
UID:e1\r
DTSTAMP:{stamp}\r
SUMMARY:QBR\r
DTSTART:{starts:%Y%m%dT%H%M%SZ}\r
DURATION:PT30M\r
ORGANIZER:mailto:jonas@example.com\r
ATTENDEE;PARTSTAT=DECLINED:mailto:hanna@customer1.example\r
ATTENDEE;PARTSTAT=ACCEPTED:mailto:somebody@nowhere.example\r
END:VEVENT\r
END:VCALENDAR\r
"""


class Feeds:
    """A calendar that its owner changes; it counts how often it was asked."""

    def __init__(self, starts: dt.datetime) -> None:
        self.starts, self.asked, self.is_down = starts, 0, False

    async def fetch(self, url: str) -> Feed:
        assert url == "https://calendar.example/secret.ics"
        self.asked += 1
        if self.is_down:
            raise TransientProviderError(provider="The calendar", reason="status 503")
        stamp = f"20261101T0000{self.asked:02}Z"
        return Feed(FEED.format(stamp=stamp, starts=self.starts).encode(), "text/calendar")


async def test_a_calendar_is_fetched_at_its_pace_and_strangers_meetings_are_left_out(
    database: Database, sample: Sample
) -> None:
    await connect_provider(
        database,
        "calendar",
        provides=("meetings", "touchpoints"),
        base_url="https://calendar.example/secret.ics",
    )
    calendar = Feeds(dt.datetime.now(dt.UTC) + dt.timedelta(days=3))

    async def look(minutes: float) -> int:
        clock = StillClock(dt.timedelta(minutes=minutes))
        fetched = await CalendarFeeds(database, clock, Cipher(SIGNING_KEY), calendar.fetch).fetch_due()
        await settle(database, dt.timedelta(minutes=minutes))
        return fetched

    assert [await look(0), await look(5), await look(16), await look(40)] == [1, 0, 1, 1]
    calendar.is_down = True
    assert await look(60) == 1
    assert len({row.delivery_id.partition("/")[2] for row in await deliveries(database)}) == 1
    assert {row.quarantined for row in await deliveries(database)} == {0}
    async with database.transaction() as session:
        (meeting,) = (
            await session.scalars(select(MeetingRow).where(MeetingRow.source_id == "calendar"))
        ).all()
    assert (meeting.customer_id, meeting.kind, meeting.answer) == (sample.customers[1], "qbr", "declined")


async def test_a_feed_comes_over_http_and_its_errors_hold_no_address() -> None:
    receiver = Receiver(status=200)
    async with running_receiver(receiver) as url:
        assert (await fetch_feed(f"{url}/secret.ics")).body == b""
        receiver.status = 503
        with pytest.raises(TransientProviderError) as raised:
            await fetch_feed(f"{url}/secret.ics")
    assert "secret" not in str(raised.value)
