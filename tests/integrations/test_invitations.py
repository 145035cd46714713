"""Invitations as calendars read them, and what calendars answer."""

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest
from icalendar import Calendar

from domain.invitations import Invitation, PlannedMeeting
from domain.ports import EmailAddress
from domain.time import BusinessInstant
from integrations.invitations import CalendarInvitations, read_reply
from integrations.simulators.sendgrid.reactions import reply_to

STARTS = BusinessInstant(dt.datetime(2026, 3, 30, 9, 15, tzinfo=dt.UTC))
MEETING = PlannedMeeting(
    uuid.UUID(int=7), "Review; Q1, with “Söhne”\nATTENDEE:x", STARTS, 45, 2, "Europe/Berlin", None
)
INVITATION = Invitation(
    MEETING,
    EmailAddress("carl@vendor.example", 'Carl "C" Careful; Head, Success'),
    EmailAddress("anna@globex.example", "Anna Bergström"),
    EmailAddress("team@vendor.example", "Vendor"),
    "Line one\nhttps://vendor.example/meeting/abc?a=1&b=2",
    "https://vendor.example/meeting/abc",
    BusinessInstant(dt.datetime(2026, 3, 20, 8, 0, 0, 123, tzinfo=dt.UTC)),
)
TEXT = CalendarInvitations().write(INVITATION)


def read(text: str) -> Any:
    calendar = Calendar.from_ical(text)
    assert str(calendar["METHOD"]) == "REQUEST"
    (event,) = calendar.walk("VEVENT")
    return event


def test_an_invitation_names_the_meeting_its_time_and_its_people() -> None:
    event = read(TEXT)
    assert (str(event["UID"]), int(event["SEQUENCE"])) == (str(MEETING.id), 2)
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (STARTS, STARTS + dt.timedelta(minutes=45))
    assert "DTSTART:20260330T091500Z" in TEXT
    assert str(event["ORGANIZER"]) == "mailto:carl@vendor.example"
    assert event["ORGANIZER"].params["SENT-BY"] == "mailto:team@vendor.example"
    attendee = event["ATTENDEE"]
    assert str(attendee) == "mailto:anna@globex.example"
    assert (attendee.params["RSVP"], attendee.params["PARTSTAT"]) == ("TRUE", "NEEDS-ACTION")


def test_what_people_write_cannot_break_out_of_its_line() -> None:
    event = read(TEXT)
    assert str(event["SUMMARY"]) == MEETING.title
    assert str(event["DESCRIPTION"]) == INVITATION.description
    assert TEXT.count("\nATTENDEE") == 1
    assert all(len(line.encode()) <= 75 for line in TEXT.split("\r\n"))


def test_an_organiser_who_sends_alone_needs_nobody_to_send_for_them() -> None:
    own = replace(INVITATION, sender=INVITATION.organiser)
    assert "SENT-BY" not in CalendarInvitations().write(own)


@pytest.mark.parametrize(
    ("partstat", "answer"), [("ACCEPTED", "accepted"), ("DECLINED", "declined"), ("TENTATIVE", "tentative")]
)
def test_a_calendars_answer_names_the_meeting_and_who_answers(partstat: str, answer: str) -> None:
    reply = read_reply(reply_to(TEXT, partstat))
    assert reply is not None
    assert (reply.meeting_id, reply.attendee, reply.answer) == (MEETING.id, "anna@globex.example", answer)
    assert reply.stamp.tzinfo is not None


ANSWER = reply_to(TEXT, "ACCEPTED").decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no calendar",
        TEXT,
        ANSWER.replace("METHOD:REPLY", "METHOD:COUNTER"),
        ANSWER.replace(str(MEETING.id), "somebody-elses@calendar"),
        ANSWER.replace("PARTSTAT=ACCEPTED", "PARTSTAT=DELEGATED"),
        ANSWER.replace("BEGIN:VEVENT", "BEGIN:VTODO").replace("END:VEVENT", "END:VTODO"),
        "\r\n".join(line for line in ANSWER.split("\r\n") if not line.startswith("DTSTAMP")),
    ],
)
def test_anything_else_is_no_answer(body: str) -> None:
    assert read_reply(body.encode()) is None
