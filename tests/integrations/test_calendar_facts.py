import datetime as dt
from typing import Any

import pytest

from domain.facts import MeetingFact, TouchpointFact
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from integrations.calendar_facts import facts_of

NOW = WallInstant(dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC))
BEGAN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
TIMELINE = Timeline((Segment(WallInstant(BEGAN), BusinessInstant(BEGAN), 1.0),))
OURS = "ORGANIZER;CN=Jonas:mailto:jonas@everline.example"
HANNA = "ATTENDEE;PARTSTAT={};CUTYPE=INDIVIDUAL:mailto:Hanna@acme.example"
LUIS = "ATTENDEE;PARTSTAT={}:mailto:luis@acme.example"


def event(starts: str, *lines: str, title: str = "QBR Acme", uid: str = "e1") -> str:
    body = "\r\n".join([OURS, *lines])
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:{title}\r\n"
        f"DTSTART:{starts}\r\nDURATION:PT1H\r\n{body}\r\nEND:VEVENT\r\n"
    )


def told(*events: str, **options: Any) -> list[MeetingFact | TouchpointFact]:
    calendar = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n{''.join(events)}END:VCALENDAR\r\n"
    found = [fact for _, facts in facts_of(calendar.encode(), NOW, TIMELINE, options) for fact in facts]
    return [fact for fact in found if isinstance(fact, MeetingFact | TouchpointFact)]


def meetings(*events: str, **options: Any) -> list[MeetingFact]:
    return [fact for fact in told(*events, **options) if isinstance(fact, MeetingFact)]


@pytest.mark.parametrize(
    ("hanna", "luis", "answer"),
    [
        ("ACCEPTED", "DECLINED", "accepted"),
        ("DECLINED", "DECLINED", "declined"),
        ("DECLINED", "NEEDS-ACTION", None),
        ("TENTATIVE", "DECLINED", "tentative"),
        ("NEEDS-ACTION", "NEEDS-ACTION", None),
    ],
)
def test_a_company_comes_if_one_of_its_people_does(hanna: str, luis: str, answer: str | None) -> None:
    (meeting,) = meetings(event("20261127T100000Z", HANNA.format(hanna), LUIS.format(luis)))
    assert (meeting.kind, meeting.answer, meeting.held_at) == ("qbr", answer, None)
    assert meeting.customer == "mailto:hanna@acme.example"


def test_a_past_meeting_with_somebody_who_came_was_held_and_is_a_contact_with_each() -> None:
    meeting, *spoken = told(event("20261119T100000Z", HANNA.format("ACCEPTED"), LUIS.format("DECLINED")))
    assert isinstance(meeting, MeetingFact)
    assert meeting.held_at == meeting.scheduled_at
    assert [(one.contact, one.channel.value) for one in spoken if isinstance(one, TouchpointFact)] == [
        ("mailto:hanna@acme.example", "meeting")
    ]


def test_a_past_review_that_nobody_accepted_was_not_held() -> None:
    (meeting,) = meetings(event("20261119T100000Z", HANNA.format("DECLINED")))
    assert (meeting.held_at, meeting.cancelled_at) == (None, None)


def test_a_cancelled_meeting_is_neither_held_nor_missed() -> None:
    (meeting,) = meetings(event("20261119T100000Z", HANNA.format("ACCEPTED"), "STATUS:CANCELLED"))
    assert meeting.held_at is None
    assert meeting.cancelled_at is not None


def test_our_own_people_and_rooms_are_no_customers() -> None:
    room = "ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=ACCEPTED:mailto:c_1@resource.calendar.google.com"
    own = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:priya@everline.example"
    assert meetings(event("20261127T100000Z", own, room)) == []
    other = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@everline.dev"
    both = {"own_domains": ["everline.example", "everline.dev"]}
    assert meetings(event("20261127T100000Z", own, other), **both) == []


def test_each_company_has_a_meeting_of_its_own() -> None:
    other = "ATTENDEE;PARTSTAT=DECLINED:mailto:bo@beta.example"
    found = meetings(event("20261127T100000Z", HANNA.format("ACCEPTED"), other))
    assert [(one.key, one.answer) for one in found] == [
        ("e1/acme.example", "accepted"),
        ("e1/beta.example", "declined"),
    ]


def test_the_words_of_a_review_are_the_tenants_own() -> None:
    quarter = event("20261127T100000Z", HANNA.format("ACCEPTED"), title="Quartalsgespräch Acme")
    assert meetings(quarter)[0].kind == "check_in"
    assert meetings(quarter, qbr_words="quartalsgespräch, QBR")[0].kind == "qbr"


def test_a_series_is_told_meeting_by_meeting_in_local_time() -> None:
    weekly = event(
        "20261012T100000",
        HANNA.format("ACCEPTED"),
        "RRULE:FREQ=WEEKLY;UNTIL=20261109T090000Z",
        "EXDATE;TZID=Europe/Berlin:20261019T100000",
        uid="w",
    ).replace("DTSTART:", "DTSTART;TZID=Europe/Berlin:")
    moved = event(
        "20261103T150000Z",
        HANNA.format("DECLINED"),
        "RECURRENCE-ID;TZID=Europe/Berlin:20261102T100000",
        uid="w",
    )
    found = {one.key.split("/")[1]: one for one in meetings(weekly, moved)}
    assert {key: one.scheduled_at.strftime("%d %H") for key, one in found.items()} == {
        "20261012T080000Z": "12 08",
        "20261026T090000Z": "26 09",
        "20261102T090000Z": "03 15",
        "20261109T090000Z": "09 09",
    }
    assert found["20261102T090000Z"].answer == "declined"
    assert found["20261026T090000Z"].answer == "accepted"


def test_a_series_without_end_is_told_around_today_only() -> None:
    daily = event("20200101T100000Z", HANNA.format("ACCEPTED"), "RRULE:FREQ=DAILY")
    days = [one.scheduled_at for one in meetings(daily)]
    assert len(days) == 240
    assert min(days) >= BusinessInstant(NOW - dt.timedelta(days=120))


def test_the_same_feed_read_later_says_the_same() -> None:
    text = event("20261127T100000Z", HANNA.format("DECLINED"), "LAST-MODIFIED:20261110T080000Z")
    first, again = meetings(text), meetings(text.replace("DTSTAMP:20261101", "DTSTAMP:20261120"))
    assert first == again
    assert first[0].answered_at == dt.datetime(2026, 11, 10, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize("body", [b"<html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\xff\xfe"])
def test_what_is_no_calendar_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(ValueError, match="the feed is no iCalendar file"):
        list(facts_of(body, NOW, TIMELINE, {}))
