"""What a calendar says, in our words: meetings with the customer's people, their answers, those held. Pure.

Whose meeting it is, is told by the attendees' addresses. Every company outside ours that was invited gets a
meeting of its own; whether it is a customer is found out when the facts are stored.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from icalendar import Calendar, Component

from domain.addresses import by_mail, is_mail
from domain.facts import Fact, MeetingFact, TouchpointFact
from domain.meeting_titles import kind_of
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline
from domain.vocabulary import Channel, Direction
from integrations.calendar_recurrence import Occurrence, occurrences_in

Answer = Literal["accepted", "declined", "tentative"]
ANSWERS: Mapping[str, Answer] = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
COMES = frozenset({"accepted", "tentative"})
LONGEST_TITLE = 300


@dataclass(frozen=True)
class Invited:
    """One person that was invited, and their answer."""

    email: str
    answer: Answer | None


def facts_of(
    body: bytes, received_at: WallInstant, timeline: Timeline, options: Mapping[str, Any]
) -> Iterator[tuple[str, list[Fact]]]:
    """Yield each meeting with what it tells; a ValueError says that this is no calendar."""
    try:
        calendars = Calendar.from_ical(body, multiple=True)
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(f"the feed is no iCalendar file: {type(error).__name__}") from error
    if not calendars:
        raise ValueError("the feed is no iCalendar file: it is empty, or broken off")
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    for occurrence in occurrences_in(events, received_at):
        meeting = _Meeting(occurrence, received_at, timeline, options)
        yield occurrence.key, [fact for each in meeting.companies() for fact in meeting.facts(*each)]


class _Meeting:
    """One meeting of the calendar."""

    def __init__(
        self, occurrence: Occurrence, received_at: WallInstant, timeline: Timeline, options: Mapping[str, Any]
    ) -> None:
        self.event, self.occurrence, self.options = occurrence.event, occurrence, options
        self.timeline, self.known_at = timeline, timeline.happened_at(received_at)
        self.title = str(self.event.get("SUMMARY") or "").strip()[:LONGEST_TITLE] or "Meeting"
        self.invited = list(_invited(self.event))

    def companies(self) -> list[tuple[str, list[Invited]]]:
        """Return the people of each company that is not ours, by domain."""
        ours, found = self._own_domains(), dict[str, list[Invited]]()
        for person in self.invited:
            domain = person.email.rpartition("@")[2]
            if domain not in ours and not domain.endswith("calendar.google.com"):
                found.setdefault(domain, []).append(person)
        return sorted(found.items())

    def _own_domains(self) -> set[str]:
        """Return the domains of our own people: as configured, else the organizer's."""
        given = self.options.get("own_domains") or ()
        words = given.split(",") if isinstance(given, str) else given
        organizer = _address(self.event.get("ORGANIZER"))
        return {str(each).strip().lower() for each in words} or {organizer.rpartition("@")[2]}

    def facts(self, domain: str, people: list[Invited]) -> Iterator[Fact]:
        """Tell the meeting with one company, and, once it was held, a contact with each who came."""
        key, starts = f"{self.occurrence.key}/{domain}", self.timeline.happened_at(self.occurrence.starts_at)
        answer = _together(people)
        is_cancelled = str(self.event.get("STATUS") or "").upper() == "CANCELLED"
        is_over = self.timeline.happened_at(self.occurrence.ends_at) <= self.known_at
        held = is_over and not is_cancelled and answer in COMES
        changed = self._changed_at()
        yield MeetingFact(
            key=key,
            known_at=self.known_at,
            customer=by_mail(people[0].email),
            kind=kind_of(self.title, self.options),
            title=self.title,
            scheduled_at=starts,
            answer=answer,
            answered_at=None if answer is None else changed,
            held_at=starts if held else None,
            cancelled_at=(changed or starts) if is_cancelled else None,
        )
        for person in people if held else ():
            if person.answer in COMES:
                yield self._contact(f"{key}/{person.email}", person, starts)

    def _contact(self, key: str, person: Invited, at: BusinessInstant) -> TouchpointFact:
        return TouchpointFact(
            key=key,
            known_at=self.known_at,
            customer=by_mail(person.email),
            contact=by_mail(person.email),
            direction=Direction.OUT,
            channel=Channel.MEETING,
            occurred_at=at,
        )

    def _changed_at(self) -> BusinessInstant | None:
        """Return when the event was last changed. DTSTAMP is no help: some feeds set it at every request."""
        found = self.event.get("LAST-MODIFIED") or self.event.get("CREATED")
        value = getattr(found, "dt", None)
        if not isinstance(value, dt.datetime):
            return None
        wall = WallInstant(value.replace(tzinfo=value.tzinfo or dt.UTC).astimezone(dt.UTC))
        return min(self.timeline.happened_at(wall), self.known_at)


def _invited(event: Component) -> Iterator[Invited]:
    """Return the people of an event once each; the organizer has accepted."""
    organizer = _address(event.get("ORGANIZER"))
    found = {organizer: Invited(organizer, "accepted")} if organizer else {}
    for attendee in _listed(event.get("ATTENDEE")):
        address, parameters = _address(attendee), getattr(attendee, "params", {})
        if address and str(parameters.get("CUTYPE", "INDIVIDUAL")).upper() in {"INDIVIDUAL", "UNKNOWN"}:
            answer = ANSWERS.get(str(parameters.get("PARTSTAT", "")).upper())
            found.setdefault(address, Invited(address, answer))
    yield from sorted(found.values(), key=lambda person: person.email)


def _address(value: object) -> str:
    text = str(value or "").strip().lower().removeprefix("mailto:")
    return text if is_mail(text) else ""


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _together(people: list[Invited]) -> Answer | None:
    """Return a company's answer: whoever comes, comes for all; it declines when all of them do."""
    answers = [person.answer for person in people]
    for answer in ("accepted", "tentative"):
        if answer in answers:
            return answer
    return "declined" if answers and all(each == "declined" for each in answers) else None
