"""What Intercom's conversations say, in our words: who spoke when, and the ticket that each is. Pure."""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from domain.addresses import by_mail, is_mail
from domain.facts import Fact, TicketFact, TouchpointFact
from domain.pulling import epoch
from domain.time import BusinessInstant
from domain.timeline import Timeline
from domain.vocabulary import Channel, Direction
from integrations.sentiment import VADER, tone_of

Body = Mapping[str, Any]
THEIRS = frozenset({"user", "lead", "contact"})
OURS = "admin"
"""Bots speak too, and nobody heard them."""
LONGEST_SUBJECT = 300
_TAG = re.compile(r"<[^>]+>")


def facts_of(kind: str, body: Body, known_at: BusinessInstant, timeline: Timeline) -> list[Fact]:
    """Translate a conversation; a ValueError names the field that is missing."""
    if kind != "conversation":
        return []
    conversation = _Conversation(body, known_at, timeline)
    return [*conversation.ticket(), *conversation.touchpoints()]


class _Conversation:
    """One conversation with the parts that came with it."""

    def __init__(self, body: Body, known_at: BusinessInstant, timeline: Timeline) -> None:
        self.body, self.known_at, self.timeline = body, known_at, timeline
        self.key = str(body.get("id") or "")
        self.source: Body = body.get("source") or {}
        self.parts: list[Body] = (body.get("conversation_parts") or {}).get("conversation_parts") or []
        if not self.key:
            raise ValueError("id: the conversation has none")
        self.person = by_mail(self._address())

    def _address(self) -> str:
        """Return the address of the customer's person, from whichever place names it."""
        contacts = (self.body.get("contacts") or {}).get("contacts") or []
        authors = [self.source.get("author"), *(part.get("author") for part in self.parts)]
        theirs = [author for author in authors if author and author.get("type") in THEIRS]
        for named in [*theirs, *contacts, self.body.get("user") or {}]:
            if is_mail(named.get("email")):
                return str(named["email"])
        raise ValueError("source.author.email: the conversation names no e-mail address of the other side")

    def ticket(self) -> Iterator[TicketFact]:
        """Tell the ticket that a conversation is where they began it."""
        author = self.source.get("author") or {}
        opened = self._at(self.body.get("created_at"))
        if author.get("type") not in THEIRS or opened is None:
            return
        said, rating = self.body.get("statistics") or {}, self.body.get("conversation_rating") or {}
        closed = self._at(said.get("last_close_at")) or self.known_at
        is_closed = self.body.get("state") == "closed" or self.body.get("open") is False
        satisfaction = rating.get("rating")
        tone = tone_of(self.source.get("subject"), self.source.get("body"))
        yield TicketFact(
            key=self.key,
            known_at=self.known_at,
            customer=self.person,
            contact=self.person,
            subject=_plain(self.source.get("subject")) or None,
            priority="high" if self.body.get("priority") == "priority" else "medium",
            opened_at=opened,
            first_responded_at=self._at(said.get("first_admin_reply_at")),
            resolved_at=max(closed, opened) if is_closed else None,
            reopened=int(said.get("count_reopens") or 0),
            satisfaction=float(satisfaction) if satisfaction else None,
            satisfaction_known_at=self.known_at if satisfaction else None,
            sentiment=tone,
            sentiment_by=None if tone is None else VADER,
        )

    def touchpoints(self) -> Iterator[TouchpointFact]:
        """Tell every message of a person; notes, assignments and bots are none."""
        opening = {**self.source, "created_at": self.body.get("created_at")}
        for message in (opening, *self.parts):
            author = message.get("author") or {}
            at = self._at(message.get("created_at"))
            spoken = author.get("type") == OURS or author.get("type") in THEIRS
            if at is None or not spoken or not _is_message(message):
                continue
            is_ours = author.get("type") == OURS
            is_email = self.source.get("type") == "email"
            yield TouchpointFact(
                key=f"{self.key}/{message.get('id')}",
                known_at=self.known_at,
                customer=self.person,
                contact=self.person,
                direction=Direction.OUT if is_ours else Direction.IN,
                channel=Channel.EMAIL if is_email else Channel.CHAT,
                user_email=author.get("email") if is_ours else None,
                occurred_at=at,
            )

    def _at(self, seconds: object) -> BusinessInstant | None:
        return self.timeline.happened_at(epoch(float(str(seconds)))) if seconds else None


def _is_message(message: Body) -> bool:
    """Tell words to the other side from notes and from changes of state."""
    kind = message.get("part_type")
    return bool(message.get("body")) and kind in {None, "comment", "open", "close", "assignment", "email"}


def _plain(text: object) -> str:
    """Return a subject without markup."""
    return html.unescape(_TAG.sub(" ", str(text or ""))).strip()[:LONGEST_SUBJECT]
