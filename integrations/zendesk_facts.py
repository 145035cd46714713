"""What Zendesk's organisations, users, tickets, comments and ratings say, in our words. Pure.

The client completes each object beforehand: `requester`, `author` and `ticket`, `has_policies`, `targets`.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from domain.facts import ContactFact, CustomerFact, Fact, SurveyFact, TicketFact, TouchpointFact
from domain.mail_domains import clean_domain, company_domain
from domain.pulling import Hint, parse_instant
from domain.time import BusinessInstant
from domain.timeline import Timeline
from domain.vocabulary import Channel, ContactRole, Direction, Purpose
from integrations.sentiment import VADER, tone_of

Body = Mapping[str, Any]
PRIORITIES = {"low": "low", "normal": "medium", "high": "high", "urgent": "urgent"}
DEFAULT_TARGETS = {
    "urgent": (60, 24 * 60),
    "high": (4 * 60, 2 * 24 * 60),
    "medium": (8 * 60, 3 * 24 * 60),
    "low": (24 * 60, 5 * 24 * 60),
}
"""Minutes until the first reply and until the solution, where the account has no SLA policy at all."""
FIRST_REPLY = ("first_reply_time", "reply_time")
SOLUTION = ("total_resolution_time", "resolution_time", "requester_wait_time")
SCORES = {"good": 5.0, "bad": 1.0}
SOLVED = frozenset({"solved", "closed"})
CHANNELS = {
    "chat": Channel.CHAT,
    "messaging": Channel.CHAT,
    "native_messaging": Channel.CHAT,
    "voice": Channel.CALL,
    "phone": Channel.CALL,
}


def facts_of(kind: str, body: Body, known_at: BusinessInstant, timeline: Timeline) -> list[Fact]:
    """Translate one object; a ValueError names the field that is wrong."""
    translator = _Translator(body, known_at, timeline)
    translate = {
        "organization": translator.organization,
        "user": translator.user,
        "ticket": translator.ticket,
        "comment": translator.comment,
        "rating": translator.rating,
    }.get(kind)
    return [] if translate is None else translate()


def hints_of(kind: str, body: Body) -> list[Hint]:
    """Say by what an organisation, or somebody without one, may be recognised."""
    if kind == "organization":
        domains = tuple(filter(None, (clean_domain(each) for each in body.get("domain_names") or ())))
        own = (str(body["external_id"]),) if body.get("external_id") else ()
        return [Hint(str(body["id"]), str(body.get("name") or body["id"]), own, domains)]
    person = body.get("requester")
    if kind in {"ticket", "comment", "rating"} and person and not _organization(body):
        email = (person.get("email") or "").lower()
        domain = company_domain(email)
        domains = (domain,) if domain else ()
        return [Hint(_customer(body), email, (), domains, (email,) if email else ())]
    return []


def _organization(body: Body) -> str | None:
    ticket = body.get("ticket") or {}
    given = body.get("organization_id") or ticket.get("organization_id")
    given = given or (body.get("requester") or {}).get("organization_id")
    return str(given) if given else None


def _customer(body: Body) -> str:
    """Return the organisation's id, or, of somebody without one, their own."""
    requester = body.get("requester_id") or (body.get("ticket") or {}).get("requester_id")
    return _organization(body) or f"user/{requester}"


def _is_ours(person: Body | None) -> bool:
    return bool(person) and (person or {}).get("role") in {"agent", "admin"}


class _Translator:
    """One object, when it was known, and how its times map."""

    def __init__(self, body: Body, known_at: BusinessInstant, timeline: Timeline) -> None:
        self.body, self.known_at, self.timeline = body, known_at, timeline

    def at(self, name: str, body: Body | None = None) -> BusinessInstant | None:
        """Return the business instant of a field that may be absent."""
        given = (self.body if body is None else body).get(name)
        return self.timeline.happened_at(parse_instant(str(given), name)) if given else None

    def created(self) -> BusinessInstant:
        """Return when the object came to be; ValueError where it does not say."""
        created = self.at("created_at")
        if created is None:
            raise ValueError("created_at: is missing")
        return created

    def organization(self) -> list[Fact]:
        """Return the customer, for installations in which Zendesk is where customers are kept."""
        if self.body.get("deleted_at"):
            return []
        domains = [clean_domain(each) for each in self.body.get("domain_names") or ()]
        return [
            CustomerFact(
                key=str(self.body["id"]),
                known_at=self.known_at,
                name=str(self.body.get("name") or self.body["id"]),
                domain=next(filter(None, domains), None),
            )
        ]

    def user(self) -> list[Fact]:
        """Return a person at an organisation; our own agents and strangers are none."""
        body, customer = self.body, _organization(self.body)
        if customer is None or body.get("role") != "end-user":
            return []
        email = (body.get("email") or "").lower() or None
        return [
            ContactFact(
                key=str(body["id"]),
                known_at=self.known_at,
                customer=customer,
                name=str(body.get("name") or email or body["id"]),
                email=email,
                roles=(ContactRole.END_USER,),
                locale=body.get("locale"),
                time_zone=body.get("iana_time_zone"),
                since=self.created(),
                left_at=self.at("updated_at") if body.get("active") is False else None,
            )
        ]

    def ticket(self) -> list[Fact]:
        """Return the request with its targets, its answers and its end."""
        body = self.body
        if body.get("status") == "deleted" or _is_ours(body.get("requester")):
            return []
        priority = PRIORITIES.get(str(body.get("priority") or "normal"), "medium")
        opened, metrics = self.created(), body.get("metric_set") or {}
        replied = (metrics.get("reply_time_in_minutes") or {}).get("calendar")
        score = SCORES.get((body.get("satisfaction_rating") or {}).get("score", ""))
        return [
            TicketFact(
                key=str(body["id"]),
                known_at=self.known_at,
                customer=_customer(body),
                contact=str(body["requester_id"]) if _organization(body) else None,
                subject=body.get("raw_subject") or body.get("subject"),
                priority=priority,  # type: ignore[arg-type] # one of PRIORITIES
                opened_at=opened,
                first_response_due_at=self._due(FIRST_REPLY, opened, priority, 0),
                first_responded_at=opened + dt.timedelta(minutes=replied) if replied is not None else None,
                resolve_due_at=self._due(SOLUTION, opened, priority, 1),
                resolved_at=self.at("solved_at", metrics) if body.get("status") in SOLVED else None,
                reopened=int(metrics.get("reopens") or 0),
                escalated="escalated" in (body.get("tags") or ()),
                satisfaction=score,
                sentiment=(tone := tone_of(body.get("subject"), body.get("description"))),
                sentiment_by=None if tone is None else VADER,
            )
        ]

    def _due(
        self, names: tuple[str, ...], opened: BusinessInstant, priority: str, which: int
    ) -> BusinessInstant | None:
        """Return a target: as the SLA has it, else by priority where the account has no SLA policy."""
        for metric in (self.body.get("slas") or {}).get("policy_metrics") or ():
            if metric.get("metric") in names and metric.get("breach_at"):
                return self.at("breach_at", metric)
        applied = self._applied(names)
        if applied is not None:
            return BusinessInstant(opened + applied)
        if self.body.get("has_policies", True):
            return None
        own = (self.body.get("targets") or {}).get(priority)
        minutes = (own or DEFAULT_TARGETS[priority])[which]
        return BusinessInstant(opened + dt.timedelta(minutes=minutes))

    def _applied(self, names: tuple[str, ...]) -> dt.timedelta | None:
        """Return the newest target of the ticket's metric events, counted from its opening.

        A target in business hours is thereby too early, never too late; it is replaced by the time of the
        breach as soon as the ticket names one.
        """
        events = self.body.get("metric_events") or {}
        found = [event for name in names for event in events.get(name) or () if _is_target(event)]
        if not found:
            return None
        sla = max(found, key=lambda event: str(event.get("time")))["sla"]
        seconds = sla.get("target_in_seconds")
        return dt.timedelta(seconds=float(sla["target"]) * 60 if seconds is None else float(seconds))

    def comment(self) -> list[Fact]:
        """Return a public comment as a touchpoint: from the customer, or an answer of ours to it."""
        body, author = self.body, self.body.get("author") or {}
        if _is_ours(body.get("requester")) or not author:
            return []
        ours, is_known = _is_ours(author), _organization(body) is not None
        person = (body.get("ticket") or {}).get("requester_id") if ours else body.get("author_id")
        channel = CHANNELS.get((body.get("via") or {}).get("channel", ""), Channel.EMAIL)
        return [
            TouchpointFact(
                key=f"comment/{body['id']}",
                known_at=max(self.known_at, self.created()),
                customer=_customer(body),
                contact=str(person) if is_known and person else None,
                direction=Direction.OUT if ours else Direction.IN,
                channel=channel,
                purpose=Purpose.TRANSACTIONAL,
                subject=(body.get("ticket") or {}).get("raw_subject"),
                user_email=(author.get("email") or "").lower() or None if ours else None,
                occurred_at=self.created(),
            )
        ]

    def rating(self) -> list[Fact]:
        """Return an answer to the satisfaction survey; another answer later is another fact."""
        score = SCORES.get(str(self.body.get("score")))
        if score is None:
            return []
        return [
            SurveyFact(
                key=f"{self.body['id']}/{self.body['score']}",
                known_at=self.known_at,
                customer=_customer(self.body),
                contact=str(self.body["requester_id"]) if _organization(self.body) else None,
                kind="csat",
                score=score,
                comment=self.body.get("comment") or None,
                responded_at=self.created(),
            )
        ]


def _is_target(event: Body) -> bool:
    is_first = int(event.get("instance_id") or 1) == 1
    return event.get("type") == "apply_sla" and is_first and bool(event.get("sla"))
