"""Invitations to meetings: what we send, and what comes back."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from domain.ports import EmailAddress
from domain.time import BusinessInstant, after

MeetingAnswer = Literal["accepted", "declined", "tentative"]


@dataclass(frozen=True)
class PlannedMeeting:
    """A meeting that a run plans: its slot, who asks and who is asked.

    `sequence` rises whenever the slot changes before the invitation has left for certain (RFC 5545, 3.8.7.4).
    """

    id: uuid.UUID
    title: str
    starts_at: BusinessInstant
    minutes: int
    sequence: int
    time_zone: str | None
    """The recipient's."""
    organiser: EmailAddress | None
    organiser_title: str = ""

    @property
    def ends_at(self) -> BusinessInstant:
        """When it is over."""
        return after(self.starts_at, timedelta(minutes=self.minutes))


@dataclass(frozen=True)
class Invitation:
    """One invitation for one person. `sender` is the address that it really leaves from."""

    meeting: PlannedMeeting
    organiser: EmailAddress
    attendee: EmailAddress
    sender: EmailAddress
    description: str
    url: str
    written_at: BusinessInstant


class InvitationWriter(Protocol):
    """Writes an invitation as a calendar understands it (iCalendar, RFC 5545 and 5546)."""

    def write(self, invitation: Invitation) -> str:
        """Return the text of the calendar object with METHOD:REQUEST."""
        ...


@dataclass(frozen=True)
class InvitationReply:
    """What a calendar answers to an invitation (iTIP REPLY, RFC 5546). `stamp` tells which is the later."""

    meeting_id: uuid.UUID
    attendee: str
    answer: MeetingAnswer
    stamp: datetime
