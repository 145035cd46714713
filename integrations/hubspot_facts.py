"""What HubSpot's companies, contacts, deals and engagements say, in our words. Pure.

The client completes each object beforehand: `companies` (only customers), `contacts` (ids), `owner_email`,
and the connection's `options`.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.facts import ContactFact, CustomerFact, Fact, MeetingFact, TouchpointFact
from domain.mail_domains import clean_domain
from domain.meeting_titles import kind_of
from domain.money import minor_units
from domain.pulling import Hint, epoch, parse_instant
from domain.time import BusinessInstant
from domain.timeline import Timeline
from domain.vocabulary import Channel, ContactRole, Direction

Body = Mapping[str, Any]
CHANNELS = {
    "emails": Channel.EMAIL,
    "calls": Channel.CALL,
    "meetings": Channel.MEETING,
    "notes": Channel.NOTE,
}
INCOMING = frozenset({"INCOMING_EMAIL", "INBOUND"})
NOT_SENT = frozenset({"BOUNCED", "FAILED", "SCHEDULED", "SENDING"})
NOT_HELD = frozenset(
    {
        "BUSY",
        "CALLING_CRM_USER",
        "CANCELED",
        "CONNECTING",
        "FAILED",
        "MISSED",
        "NO_ANSWER",
        "QUEUED",
        "RINGING",
    }
)
ROLES = (
    ("champion", ContactRole.CHAMPION),
    ("executive_sponsor", ContactRole.EXECUTIVE_SPONSOR),
    ("executive sponsor", ContactRole.EXECUTIVE_SPONSOR),
    ("decision_maker", ContactRole.EXECUTIVE_SPONSOR),
    ("budget_holder", ContactRole.BILLING),
)
"""HubSpot's buying roles, as far as they are a role after the purchase too."""
EXECUTIVES = ("chief", "ceo", "cto", "cfo", "coo", "cio", "vp ", "vice president", "president", "founder")


def facts_of(kind: str, body: Body, known_at: BusinessInstant, timeline: Timeline) -> list[Fact]:
    """Translate one object; a ValueError names the field that is wrong."""
    translator = _Translator(body, known_at, timeline)
    if kind == "companies":
        return [translator.company(body)]
    if kind == "contacts":
        return translator.contact()
    if kind == "deals":
        return translator.deal()
    if kind == "meetings":
        return [*translator.meeting(), *translator.touchpoints(kind)]
    return translator.touchpoints(kind) if kind in CHANNELS else []


def hints_of(kind: str, body: Body) -> list[Hint]:
    """Say by what a company may be recognised as a customer of another source."""
    if kind != "companies":
        return []
    properties, name = body.get("properties") or {}, (body.get("options") or {}).get("id_property")
    domain, own_id = clean_domain(properties.get("domain")), properties.get(name) if name else None
    return [
        Hint(
            str(body["id"]),
            name=str(properties.get("name") or domain or body["id"]),
            external_ids=(str(own_id),) if own_id else (),
            domains=(domain,) if domain else (),
        )
    ]


class _Translator:
    """One object, when it was known, and how its times map."""

    def __init__(self, body: Body, known_at: BusinessInstant, timeline: Timeline) -> None:
        self.body, self.known_at, self.timeline = body, known_at, timeline
        self.properties: Body = body.get("properties") or {}
        self.options: Body = body.get("options") or {}

    def at(self, name: str) -> BusinessInstant | None:
        """Return a property's instant: an ISO text, or milliseconds as HubSpot writes older ones."""
        given = self.properties.get(name)
        if not given:
            return None
        text = str(given)
        if text.isdigit():
            return self.timeline.happened_at(epoch(int(text) / 1000))
        return self.timeline.happened_at(parse_instant(text, name))

    def created(self) -> BusinessInstant:
        """Return when HubSpot got to know of it, or when we did."""
        given = self.body.get("createdAt")
        return self.timeline.happened_at(parse_instant(given, "createdAt")) if given else self.known_at

    def company(self, row: Body, **more: Any) -> CustomerFact:
        """Return the customer; `more` is what a deal adds to it."""
        properties: Body = row.get("properties") or {}
        domain = clean_domain(properties.get("domain"))
        return CustomerFact(
            key=str(row["id"]),
            known_at=self.known_at,
            name=str(properties.get("name") or domain or f"HubSpot company {row['id']}"),
            domain=domain,
            industry=_words(properties.get("industry")),
            country=properties.get("country") or None,
            time_zone=_zone(properties.get("timezone")),
            employees=_whole(properties.get("numberofemployees"), "numberofemployees"),
            csm_email=self.body.get("owner_email") if row is self.body else None,
            **more,
        )

    def contact(self) -> list[Fact]:
        """Return the person at each company that is a customer; the first is the primary one."""
        properties = self.properties
        email = (properties.get("email") or "").strip().lower() or None
        first, last = properties.get("firstname") or "", properties.get("lastname") or ""
        name = f"{first} {last}".strip() or email or f"HubSpot contact {self.body['id']}"
        return [
            ContactFact(
                key=str(self.body["id"]),
                known_at=self.known_at,
                customer=str(company["id"]),
                name=name,
                email=email,
                roles=_roles(properties),
                department=properties.get("jobtitle") or None,
                locale=properties.get("hs_language") or None,
                time_zone=_zone(properties.get("hs_timezone")),
                since=self.created(),
            )
            for company in self.body["companies"][:1]
        ]

    def deal(self) -> list[Fact]:
        """Return what a deal says of its customer: revenue from a won one, the renewal date from an open one.

        A deal is no touchpoint. `hs_arr` counts as annual revenue; an amount alone does not, since it may be
        for any number of years.
        """
        more: dict[str, Any] = {}
        properties, currency = self.properties, (self.properties.get("deal_currency_code") or "USD").upper()
        if properties.get("hs_is_closed_won") == "true":
            arr = properties.get(str(self.options.get("arr_property") or "hs_arr"))
            if arr:
                more = {"arr_minor": max(minor_units(arr, currency), 0), "currency": currency}
            renewal = self.at(str(self.options.get("renewal_property") or ""))
            more |= {"renewal_on": renewal.date()} if renewal else {}
        elif properties.get("hs_is_closed") != "true" and self._is_renewal():
            closes = self.at("closedate")
            more = {"renewal_on": closes.date()} if closes else {}
        return [self.company(company, **more) for company in self.body["companies"][:1] if more]

    def _is_renewal(self) -> bool:
        told = (self.properties.get(name) or "" for name in ("pipeline", "dealtype", "dealname"))
        return any("renewal" in text.lower() for text in told)

    def meeting(self) -> list[Fact]:
        """Return the meeting with its outcome, once per customer."""
        starts = self.at("hs_meeting_start_time") or self.at("hs_timestamp")
        if starts is None:
            raise ValueError("hs_timestamp: a meeting needs the time at which it starts")
        title = str(self.properties.get("hs_meeting_title") or "Meeting")
        outcome = str(self.properties.get("hs_meeting_outcome") or "").upper()
        return [
            MeetingFact(
                key=f"{self.body['id']}/{company['id']}",
                known_at=self.known_at,
                customer=str(company["id"]),
                kind=kind_of(title, self.options),
                title=title,
                scheduled_at=starts,
                answer="declined" if outcome == "NO_SHOW" else None,
                held_at=starts if outcome == "COMPLETED" else None,
                cancelled_at=starts if outcome == "CANCELED" else None,
            )
            for company in self.body["companies"]
        ]

    def touchpoints(self, kind: str) -> list[Fact]:
        """Return one touchpoint per customer and person; what did not reach anybody is none."""
        if not self._took_place(kind):
            return []
        happened = self.at("hs_timestamp")
        if happened is None:
            raise ValueError("hs_timestamp: an engagement needs its time")
        subject = self.properties.get("hs_email_subject") or self.properties.get("hs_call_title")
        facts: list[Fact] = []
        for company in self.body["companies"][:1]:
            for contact in self.body["contacts"] or [None]:
                suffix = f"/{contact}" if contact else ""
                facts.append(
                    TouchpointFact(
                        key=f"{kind}/{self.body['id']}{suffix}",
                        known_at=max(self.known_at, happened),
                        customer=str(company["id"]),
                        contact=contact,
                        direction=self._direction(),
                        channel=CHANNELS[kind],
                        subject=subject or self.properties.get("hs_meeting_title"),
                        user_email=self.body.get("owner_email"),
                        occurred_at=happened,
                    )
                )
        return facts

    def _direction(self) -> Direction:
        told = {self.properties.get("hs_email_direction"), self.properties.get("hs_call_direction")}
        return Direction.IN if told & INCOMING else Direction.OUT

    def _took_place(self, kind: str) -> bool:
        if kind == "meetings":
            return self.properties.get("hs_meeting_outcome") == "COMPLETED"
        if kind == "calls":
            return str(self.properties.get("hs_call_status") or "") not in NOT_HELD
        return kind != "emails" or str(self.properties.get("hs_email_status") or "") not in NOT_SENT


def _roles(properties: Body) -> tuple[ContactRole, ...]:
    told = f"{properties.get('hs_buying_role') or ''};{properties.get('hs_role') or ''}".lower()
    roles = tuple(dict.fromkeys(role for word, role in ROLES if word in told))
    title = f"{(properties.get('jobtitle') or '').lower()} "
    if not roles and any(word in title for word in EXECUTIVES):
        return (ContactRole.EXECUTIVE_SPONSOR,)
    return roles or (ContactRole.END_USER,)


def _words(text: str | None) -> str | None:
    return text.replace("_", " ").capitalize() if text else None


def _whole(text: str | None, name: str) -> int | None:
    if not text:
        return None
    try:
        return max(int(float(text)), 0)
    except ValueError:
        message = f"{name}: {text!r} is no number"
        raise ValueError(message) from None


def _zone(text: str | None) -> str | None:
    """Return HubSpot's `europe_slash_berlin` as the zone that it means, None for what is none."""
    if not text:
        return None
    parts = text.replace("_slash_", "/").split("/")
    spelled = "/".join("_".join(word.capitalize() for word in part.split("_")) for part in parts)
    try:
        return ZoneInfo(spelled).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
