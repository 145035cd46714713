"""What Salesforce's records say, in our words. Pure: one record by its type and the fields that were sent.

Outbound messages carry only the fields that somebody ticked; a ValueError names one that is missing.
"""

import datetime as dt
from collections.abc import Callable, Mapping

from domain.addresses import by_mail, is_mail
from domain.facts import ContactFact, CustomerFact, Fact, MeetingFact, TouchpointFact
from domain.mail_domains import clean_domain
from domain.meeting_titles import kind_of
from domain.pulling import Hint, parse_instant
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline
from domain.vocabulary import Channel, Direction

Fields = Mapping[str, str]
ACCOUNT_PREFIX, CONTACT_PREFIX = "001", "003"
"""The first characters of the ids of every account and contact; a `WhoId` may be a lead instead."""
CHANNELS = {"call": Channel.CALL, "email": Channel.EMAIL, "listemail": Channel.EMAIL}
LONGEST_SUBJECT = 300


def facts_of(
    kind: str,
    body: Fields,
    known_at: BusinessInstant,
    timeline: Timeline,
    options: Mapping[str, object] | None = None,
) -> list[Fact]:
    """Translate one record; a type that says nothing of customers gives nothing."""
    translate = TRANSLATORS.get(kind)
    return [] if translate is None else translate(_Record(body, known_at, timeline, options or {}))


def hints_of(kind: str, body: Fields) -> list[Hint]:
    """Say by what an account may be recognised as a customer of another source."""
    if kind != "Account" or not body.get("Id"):
        return []
    domain = clean_domain(body.get("Website") or None)
    return [Hint(body["Id"], name=body.get("Name") or body["Id"], domains=(domain,) if domain else ())]


class _Record:
    """The fields of one record, with its times mapped."""

    def __init__(
        self, body: Fields, known_at: BusinessInstant, timeline: Timeline, options: Mapping[str, object]
    ) -> None:
        self.body, self.known_at, self.timeline, self.options = body, known_at, timeline, options

    def get(self, name: str) -> str | None:
        return self.body.get(name) or None

    def need(self, name: str) -> str:
        found = self.get(name)
        if found is None:
            message = f"{name}: is missing; add the field to the outbound message"
            raise ValueError(message)
        return found

    def is_true(self, name: str) -> bool:
        return (self.get(name) or "").lower() == "true"

    def wall(self, name: str) -> WallInstant | None:
        text = self.get(name)
        return None if text is None else parse_instant(text, name)

    def at(self, *names: str) -> BusinessInstant | None:
        """Return the first of these times that is there."""
        found = (self.wall(name) for name in names)
        return next((self.timeline.happened_at(each) for each in found if each is not None), None)

    def contact(self) -> str | None:
        who = self.get("WhoId")
        return who if who is not None and who.startswith(CONTACT_PREFIX) else None


def told_at(body: Fields) -> WallInstant | None:
    """Return when Salesforce last changed the record."""
    for name in ("SystemModstamp", "LastModifiedDate", "CreatedDate"):
        if body.get(name):
            return parse_instant(body[name], name)
    return None


def _account(record: _Record) -> list[Fact]:
    employees = record.get("NumberOfEmployees")
    return [
        CustomerFact(
            key=record.need("Id"),
            known_at=record.known_at,
            name=record.need("Name"),
            domain=clean_domain(record.get("Website")),
            industry=record.get("Industry"),
            country=record.get("BillingCountryCode") or record.get("BillingCountry"),
            employees=int(float(employees)) if employees else None,
        )
    ]


def _contact(record: _Record) -> list[Fact]:
    names = (record.get("FirstName"), record.get("LastName"))
    name = record.get("Name") or " ".join(each for each in names if each) or record.need("Name")
    return [
        ContactFact(
            key=record.need("Id"),
            known_at=record.known_at,
            customer=record.need("AccountId"),
            name=name,
            email=record.get("Email"),
            department=record.get("Department"),
            since=record.at("CreatedDate") or record.known_at,
        )
    ]


def _task(record: _Record) -> list[Fact]:
    """Tell a logged call or e-mail, once it is completed; a task still to do is no contact."""
    channel = CHANNELS.get((record.get("TaskSubtype") or record.get("Type") or "").lower())
    if record.get("Status") != "Completed" or channel is None:
        return []
    came = (record.get("CallType") or "").lower() == "inbound"
    return [
        TouchpointFact(
            key=record.need("Id"),
            known_at=record.known_at,
            customer=record.need("AccountId"),
            contact=record.contact(),
            direction=Direction.IN if came else Direction.OUT,
            channel=channel,
            subject=(record.get("Subject") or "")[:LONGEST_SUBJECT] or None,
            occurred_at=record.at("CompletedDateTime", "CreatedDate") or record.known_at,
        )
    ]


def _event(record: _Record) -> list[Fact]:
    """Tell a meeting; one that is over was held, and is a contact."""
    key, title, starts = record.need("Id"), record.need("Subject"), record.wall("StartDateTime")
    if starts is None:
        starts = parse_instant(record.need("ActivityDateTime"), "ActivityDateTime")
    scheduled = record.timeline.happened_at(starts)
    ended = record.at("EndDateTime") or BusinessInstant(scheduled + dt.timedelta(hours=1))
    is_over, is_gone = ended <= record.known_at, record.is_true("IsDeleted")
    meeting = MeetingFact(
        key=key,
        known_at=record.known_at,
        customer=record.need("AccountId"),
        kind=kind_of(title, record.options),
        title=title[:LONGEST_SUBJECT],
        scheduled_at=scheduled,
        held_at=scheduled if is_over and not is_gone else None,
        cancelled_at=record.known_at if is_gone else None,
    )
    if meeting.held_at is None:
        return [meeting]
    spoken = TouchpointFact(
        key=f"{key}/held",
        known_at=record.known_at,
        customer=meeting.customer,
        contact=record.contact(),
        direction=Direction.OUT,
        channel=Channel.MEETING,
        occurred_at=scheduled,
    )
    return [meeting, spoken]


def _note(record: _Record) -> list[Fact]:
    """Tell a note on an account or a contact; those on leads and deals are nobody's yet."""
    parent = record.need("ParentId")
    if not parent.startswith((ACCOUNT_PREFIX, CONTACT_PREFIX)):
        return []
    is_person = parent.startswith(CONTACT_PREFIX)
    account = record.get("AccountId") if is_person else parent
    if account is None:
        raise ValueError("ParentId: names a contact without its account; send AccountId beside it")
    return [
        TouchpointFact(
            key=record.need("Id"),
            known_at=record.known_at,
            customer=account,
            contact=parent if is_person else None,
            direction=Direction.OUT,
            channel=Channel.NOTE,
            subject=(record.get("Title") or "")[:LONGEST_SUBJECT] or None,
            occurred_at=record.at("CreatedDate") or record.known_at,
        )
    ]


def _email(record: _Record) -> list[Fact]:
    """Tell a mail of Salesforce's e-mail feature by the address of the other side."""
    came = record.is_true("Incoming")
    named = record.need("FromAddress" if came else "ToAddress").replace(";", ",").split(",")
    theirs = next((address for address in named if is_mail(address)), None)
    if theirs is None:
        raise ValueError(f"{'FromAddress' if came else 'ToAddress'}: holds no e-mail address")
    return [
        TouchpointFact(
            key=record.need("Id"),
            known_at=record.known_at,
            customer=by_mail(theirs),
            contact=by_mail(theirs),
            direction=Direction.IN if came else Direction.OUT,
            channel=Channel.EMAIL,
            subject=(record.get("Subject") or "")[:LONGEST_SUBJECT] or None,
            user_email=None if came else record.get("FromAddress"),
            occurred_at=record.at("MessageDate", "CreatedDate") or record.known_at,
        )
    ]


TRANSLATORS: Mapping[str, Callable[[_Record], list[Fact]]] = {
    "Account": _account,
    "Contact": _contact,
    "Task": _task,
    "Event": _event,
    "EmailMessage": _email,
    "Note": _note,
}
