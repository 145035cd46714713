"""A simulated HubSpot account: CRM objects with their properties and associations."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from integrations.simulators.providers import Answer, Ask
from integrations.simulators.sample_accounts import Company, iso, sample_companies

HUBSPOT_TOKEN = "pat-simulator"  # noqa: S105 - opens nothing but the simulator
STREAMS = ("companies", "contacts", "deals", "emails", "calls", "meetings", "notes")
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda left, right: left == right,
    "GT": lambda left, right: left > right,
    "GTE": lambda left, right: left >= right,
    "LT": lambda left, right: left < right,
    "LTE": lambda left, right: left <= right,
    "CONTAINS_TOKEN": lambda left, right: right in left,
}
SEARCH_LIMIT = 10_000
Row = dict[str, Any]


class SimulatedHubSpot:
    """Answers searches, batch reads and associations; `page_size` is the most rows per answer."""

    name = "hubspot"

    def __init__(self, companies: Iterable[Company] | None = None, page_size: int = 100) -> None:
        """Begin with the sample companies."""
        self.page_size = page_size
        self.rows: dict[str, dict[str, Row]] = {stream: {} for stream in STREAMS}
        self.links: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._next = 1000
        for company in sample_companies() if companies is None else companies:
            self._add_company(company)

    def refused(self, status: int) -> Any:
        """Return HubSpot's error body."""
        category = {401: "INVALID_AUTHENTICATION", 429: "RATE_LIMITS"}.get(status, "INTERNAL_ERROR")
        return {"status": "error", "message": f"simulated {status}", "category": category}

    def add(self, stream: str, at: dt.datetime, properties: Row, **links: list[str]) -> str:
        """Add an object that belongs to others; return its id."""
        self._next += 1
        key = str(self._next)
        changed = "lastmodifieddate" if stream == "contacts" else "hs_lastmodifieddate"
        known = {"createdate": iso(at), changed: iso(at), "hs_object_id": key}
        row = {"id": key, "properties": properties | known, "createdAt": iso(at), "updatedAt": iso(at)}
        self.rows[stream][key] = row | {"archived": False}
        for other, ids in links.items():
            self.links.setdefault((stream, other), {})[key] = ids
            for one in ids:
                self.links.setdefault((other, stream), {}).setdefault(one, []).append(key)
        return key

    def change(self, stream: str, key: str, at: dt.datetime, **properties: str) -> None:
        """Change an object, as somebody does in the CRM."""
        row = self.rows[stream][key]
        changed = "lastmodifieddate" if stream == "contacts" else "hs_lastmodifieddate"
        row["properties"] |= properties | {changed: iso(at)}
        row["updatedAt"] = iso(at)

    def answer(self, ask: Ask) -> Answer:
        """Route a call."""
        if ask.authorization != f"Bearer {HUBSPOT_TOKEN}":
            return Answer(self.refused(401), 401)
        parts = ask.path.strip("/").split("/")
        if parts[:3] == ["crm", "v3", "owners"]:
            return Answer({"results": [{"id": "77", "email": "Sam@Vendor.example"}]})
        if parts[:3] == ["crm", "v3", "associations"] and parts[5:] == ["batch", "read"]:
            return self._associations(parts[3], parts[4], ask.body["inputs"])
        if parts[:3] != ["crm", "v3", "objects"] or parts[3] not in self.rows:
            return Answer({"status": "error", "message": "no such path"}, 404)
        return self._objects(parts[3], parts[4:], ask)

    def _objects(self, stream: str, rest: list[str], ask: Ask) -> Answer:
        if rest == ["search"]:
            return self._search(stream, ask.body)
        if rest == ["batch", "read"]:
            rows = [self.rows[stream].get(one["id"]) for one in ask.body["inputs"]]
            return Answer({"status": "COMPLETE", "results": [row for row in rows if row]})
        if rest[1:2] == ["associations"]:
            return self._linked(stream, rest[0], rest[2], ask)
        if rest:
            return self._one(stream, rest[0], ask)
        if ask.method == "POST":
            return self._create(stream, ask.body)
        return Answer({"results": list(self.rows[stream].values())[: int(ask.first("limit", "10"))]})

    def _one(self, stream: str, key: str, ask: Ask) -> Answer:
        row = self.rows[stream].get(key)
        if row is None:
            return Answer({"status": "error", "message": "not found"}, 404)
        if ask.method == "PATCH":
            row["properties"] |= ask.body["properties"]
        return Answer(row)

    def _create(self, stream: str, body: Row) -> Answer:
        """Add an object with links to companies."""
        at = dt.datetime.fromisoformat(body["properties"]["hs_timestamp"])
        companies = [one["to"]["id"] for one in body.get("associations", [])]
        key = self.add(stream, at, dict(body["properties"]), companies=companies)
        return Answer(self.rows[stream][key], 201)

    def _search(self, stream: str, body: Row) -> Answer:
        filters = [one for group in body.get("filterGroups", []) for one in group["filters"]]
        found = [row for row in self.rows[stream].values() if all(_fits(row, one) for one in filters)]
        for sort in body.get("sorts", [])[:1]:
            name = sort["propertyName"]
            found.sort(key=lambda row: (_value(row, name), int(row["id"])))
        begin, size = int(body.get("after") or 0), min(int(body.get("limit", 10)), self.page_size)
        if begin + size > SEARCH_LIMIT:
            return Answer(
                {"status": "error", "message": "at most 10000 results", "category": "VALIDATION_ERROR"}, 400
            )
        page = found[begin : begin + size]
        more = {"paging": {"next": {"after": str(begin + size)}}} if begin + size < len(found) else {}
        return Answer({"total": len(found), "results": page, **more})

    def _linked(self, stream: str, key: str, other: str, ask: Ask) -> Answer:
        ids = self.links.get((stream, other), {}).get(key, [])
        begin, size = int(ask.first("after", "0")), min(int(ask.first("limit", "500")), self.page_size)
        more = {"paging": {"next": {"after": str(begin + size)}}} if begin + size < len(ids) else {}
        page = [{"id": one, "type": f"{stream}_to_{other}"} for one in ids[begin : begin + size]]
        return Answer({"results": page, **more})

    def _associations(self, stream: str, other: str, inputs: list[Row]) -> Answer:
        linked = self.links.get((stream, other), {})
        results = [
            {
                "from": {"id": one["id"]},
                "to": [{"id": to, "type": f"{stream}_to_{other}"} for to in linked[one["id"]]],
            }
            for one in inputs
            if linked.get(one["id"])
        ]
        return Answer({"status": "COMPLETE", "results": results}, 200)

    def _add_company(self, company: Company) -> None:
        at = company.since
        stage = "lead" if company.is_lead else "customer"
        key = self.add(
            "companies",
            at,
            {
                "name": company.name,
                "domain": company.domain,
                "industry": "COMPUTER_SOFTWARE",
                "country": "Germany",
                "timezone": "europe_slash_berlin",
                "numberofemployees": str(company.seats * 8),
                "lifecyclestage": stage,
                "hubspot_owner_id": "77",
                "everstay_id": f"acct-{company.number}",
            },
        )
        people = [
            self.add(
                "contacts",
                at + dt.timedelta(minutes=person.number),
                {
                    "firstname": person.first,
                    "lastname": person.last,
                    "email": person.email,
                    "jobtitle": person.title,
                },
                companies=[key],
            )
            for person in company.people
        ]
        self._add_deal(company, key)
        self._add_talk(company, key, people)

    def _add_deal(self, company: Company, key: str) -> None:
        properties = {
            "dealname": f"{company.name} annual plan",
            "pipeline": "default",
            "deal_currency_code": "EUR",
            "hs_arr": str(company.seats * 1200),
            "hs_is_closed": "true",
            "hs_is_closed_won": "true",
            "closedate": iso(company.since),
        }
        self.add("deals", company.since, properties, companies=[key])

    def _add_talk(self, company: Company, key: str, people: list[str]) -> None:
        """Add a month of talk: e-mails in both directions, a call, a review, a note, and a missed call."""
        day = dt.timedelta(days=1)
        owner = {"hubspot_owner_id": "77"}
        links = {"companies": [key], "contacts": people[:1]}
        for number in range(3):
            at = company.since + (10 + number) * day
            sender = "INCOMING_EMAIL" if number % 2 else "EMAIL"
            mail = {
                "hs_email_subject": f"Question {number}",
                "hs_email_direction": sender,
                "hs_email_status": "SENT",
            }
            self.add("emails", at, {"hs_timestamp": iso(at), **mail, **owner}, **links)
        at = company.since + 20 * day
        call = {"hs_call_title": "Check-in", "hs_call_direction": "OUTBOUND", "hs_call_status": "COMPLETED"}
        self.add("calls", at, {"hs_timestamp": iso(at), **call, **owner}, **links)
        missed = call | {"hs_call_status": "NO_ANSWER"}
        self.add("calls", at + day, {"hs_timestamp": iso(at + day), **missed, **owner}, **links)
        held = {"hs_meeting_title": "Quarterly business review", "hs_meeting_outcome": "COMPLETED"}
        start = at + 5 * day
        times = {"hs_timestamp": iso(start), "hs_meeting_start_time": iso(start)}
        self.add("meetings", at, {**times, **held, **owner}, **links)
        self.add("notes", at + 2 * day, {"hs_timestamp": iso(at + 2 * day), **owner}, companies=[key])


def _value(row: Row, name: str) -> int | str:
    given = row["properties"].get(name) or "0"
    if name.endswith("lastmodifieddate"):
        return int(dt.datetime.fromisoformat(given).timestamp() * 1000)
    return int(given) if name == "hs_object_id" else str(given)


def _fits(row: Row, one: Row) -> bool:
    left = _value(row, one["propertyName"])
    right = int(one["value"]) if isinstance(left, int) else one["value"]
    return bool(OPERATORS[one["operator"]](left, right))
