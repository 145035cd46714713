"""Invitations as calendars read and answer them: iCalendar (RFC 5545) by iTIP (RFC 5546)."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from icalendar import Calendar, Event, vCalAddress

from domain.addresses import is_mail
from domain.invitations import Invitation, InvitationReply, MeetingAnswer
from domain.ports import EmailAddress

PRODUCT = "-//Everstay//Invitations//EN"
ANSWERS: Mapping[str, MeetingAnswer] = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
}


class CalendarInvitations:
    """The InvitationWriter port. The UID is the meeting's id, so that what answers it names the meeting."""

    def write(self, invitation: Invitation) -> str:
        """Return the calendar object, in UTC, so that no definition of a time zone has to travel with it."""
        calendar = Calendar()
        for name, value in (
            ("prodid", PRODUCT),
            ("version", "2.0"),
            ("calscale", "GREGORIAN"),
            ("method", "REQUEST"),
        ):
            calendar.add(name, value)
        calendar.add_component(_event(invitation))
        written: bytes = calendar.to_ical()
        return written.decode()


def _event(invitation: Invitation) -> Event:
    meeting, event = invitation.meeting, Event()
    values = {
        "uid": str(meeting.id),
        "sequence": meeting.sequence,
        "dtstamp": invitation.written_at.replace(microsecond=0),
        "dtstart": meeting.starts_at,
        "dtend": meeting.ends_at,
        "summary": meeting.title,
        "description": invitation.description,
        "url": invitation.url,
        "status": "CONFIRMED",
        "transp": "OPAQUE",
    }
    for name, value in values.items():
        event.add(name, value)
    event.add("organizer", _organiser(invitation), encode=False)
    event.add("attendee", _attendee(invitation.attendee), encode=False)
    return event


def _organiser(invitation: Invitation) -> vCalAddress:
    """Name the organiser, and the mailbox that sends for them where it is another one."""
    address = _person(invitation.organiser)
    if invitation.sender.email.lower() != invitation.organiser.email.lower():
        address.params["SENT-BY"] = f"mailto:{invitation.sender.email}"
    return address


def _attendee(attendee: EmailAddress) -> vCalAddress:
    address = _person(attendee)
    address.params.update(
        {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"}
    )
    return address


def _person(person: EmailAddress) -> vCalAddress:
    address = vCalAddress(f"mailto:{person.email}")
    if person.name:
        address.params["CN"] = person.name
    return address


def read_reply(body: bytes) -> InvitationReply | None:
    """Return the answer in an iTIP REPLY to one of our invitations; None for anything else."""
    try:
        calendar = Calendar.from_ical(body)
        if str(calendar.get("METHOD") or "").upper() != "REPLY":
            return None
        return _reply(calendar.walk("VEVENT")[0])
    except (ValueError, IndexError, KeyError, AttributeError, TypeError):  # what a stranger's file may hold
        return None


def _reply(event: Any) -> InvitationReply | None:
    attendee = event.get("ATTENDEE")
    if isinstance(attendee, list):  # a REPLY speaks for one person
        return None
    address = str(attendee or "").strip().lower().removeprefix("mailto:")
    answer = ANSWERS.get(str(attendee.params.get("PARTSTAT") or "").upper())
    if answer is None or not is_mail(address):
        return None
    return InvitationReply(uuid.UUID(str(event["UID"])), address, answer, _stamp(event))


def _stamp(event: Any) -> dt.datetime:
    stamp: dt.datetime = event["DTSTAMP"].dt
    return stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=dt.UTC)
