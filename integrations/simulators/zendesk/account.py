"""A simulated Zendesk account: organisations, users, tickets with metrics and SLAs, comments and ratings."""

import base64
import datetime as dt
from collections.abc import Iterable
from typing import Any

from integrations.simulators.providers import Answer, Ask
from integrations.simulators.sample_accounts import Company, iso, sample_companies

ZENDESK_USER = "admin@vendor.example"
ZENDESK_TOKEN = "zendesk-simulator"  # noqa: S105 - opens nothing but the simulator
AGENT = 900
Row = dict[str, Any]
PATHS = {
    "incremental/organizations": "organizations",
    "incremental/users/cursor": "users",
    "incremental/tickets/cursor": "tickets",
    "incremental/ticket_events": "ticket_events",
}


class SimulatedZendesk:
    """Answers incremental exports, side-loads, show_many and ratings, `page_size` rows at most."""

    name = "zendesk"

    def __init__(
        self, companies: Iterable[Company] | None = None, page_size: int = 100, *, has_slas: bool = True
    ) -> None:
        """Begin with the sample companies."""
        self.page_size, self.has_slas = page_size, has_slas
        names = ("organizations", "users", "tickets", "ticket_events", "satisfaction_ratings")
        self.rows: dict[str, dict[int, Row]] = {name: {} for name in names}
        agent = {"id": AGENT, "role": "agent", "email": "Sam@Vendor.example", "name": "Sam"}
        self.rows["users"][AGENT] = agent | _times(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        for company in sample_companies() if companies is None else companies:
            if not company.is_lead:
                self._add_company(company)

    def refused(self, status: int) -> Any:
        """Return Zendesk's error body."""
        return {"error": "Couldn't authenticate you" if status == 401 else f"simulated {status}"}  # noqa: PLR2004 - a status of HTTP

    def change(self, kind: str, key: int, at: dt.datetime, **changes: Any) -> None:
        """Change a row, as an agent does."""
        self.rows[kind][key] |= {**changes, "updated_at": iso(at)}

    def answer(self, ask: Ask) -> Answer:
        """Route a call."""
        pair = base64.b64encode(f"{ZENDESK_USER}/token:{ZENDESK_TOKEN}".encode()).decode()
        if ask.authorization not in {f"Basic {pair}", f"Bearer {ZENDESK_TOKEN}"}:
            return Answer(self.refused(401), 401)
        path = ask.path.strip("/").removeprefix("api/v2/").removesuffix(".json")
        if path in PATHS:
            return self._export(PATHS[path], ask, by_cursor=path.endswith("cursor"))
        if path == "slas/policies":
            return Answer({"sla_policies": [{"id": 25, "title": "Gold"}] if self.has_slas else []})
        return self._rows(path.split("/"), ask)

    def _rows(self, parts: list[str], ask: Ask) -> Answer:
        kind = parts[0]
        if kind not in self.rows:
            return Answer({"error": "InvalidEndpoint"}, 404)
        if parts[1:] == ["show_many"]:
            wanted = [int(one) for one in ask.first("ids").split(",") if one]
            return Answer({kind: [self.rows[kind][one] for one in wanted if one in self.rows[kind]]})
        if len(parts) == 1:
            return self._listed(kind, ask)
        row = self.rows[kind].get(int(parts[1]))
        if row is None:
            return Answer({"error": "RecordNotFound"}, 404)
        if parts[2:] == ["comments"]:
            events = self.rows["ticket_events"].values()
            mine = [event for event in events if event["ticket_id"] == row["id"]]
            return Answer({"comments": [child for event in mine for child in event["child_events"]]})
        return Answer({kind.removesuffix("s"): row, "users": self._people([row])})

    def _listed(self, kind: str, ask: Ask) -> Answer:
        since = int(ask.first("start_time", "0"))
        rows = [row for row in self.rows[kind].values() if _epoch(row["created_at"]) >= since]
        begin = int(ask.first("page[after]", "0"))
        end = begin + min(int(ask.first("page[size]", "100")), self.page_size)
        meta = {"has_more": end < len(rows), "after_cursor": str(end)}
        return Answer({kind: rows[begin:end], "meta": meta})

    def _export(self, kind: str, ask: Ask, *, by_cursor: bool) -> Answer:
        rows = sorted(self.rows[kind].values(), key=lambda row: (_epoch(row["updated_at"]), row["id"]))
        given = ask.first("cursor")
        since, last = _opened(given) if given else (int(ask.first("start_time", "0")), -1)
        rest = [row for row in rows if (_epoch(row["updated_at"]), row["id"]) > (since, last)]
        page, has_more = rest[: self.page_size], len(rest) > self.page_size
        if by_cursor:
            moved = _cursor(page[-1]) if page else given or _closed(since, last)
            sides = {"users": self._people(page)} if "users" in ask.first("include") else {}
            return Answer({kind: page, "after_cursor": moved, "end_of_stream": not has_more, **sides})
        end = _epoch(page[-1]["updated_at"]) if page else since
        while has_more and _epoch(rest[len(page)]["updated_at"]) == end:
            page = rest[: len(page) + 1]
            has_more = len(rest) > len(page)
        return Answer({kind: page, "count": len(page), "end_time": end, "end_of_stream": not has_more})

    def _people(self, rows: list[Row]) -> list[Row]:
        ids = {row["requester_id"] for row in rows if row.get("requester_id") is not None}
        return [self.rows["users"][one] for one in sorted(ids) if one in self.rows["users"]]

    def _add_company(self, company: Company) -> None:
        number = 5000 + company.number
        about = {"id": number, "name": company.name, "domain_names": [company.domain], "external_id": None}
        self.rows["organizations"][number] = about | _times(company.since)
        for person in company.people:
            user: Row = {
                "id": 6000 + person.number,
                "role": "end-user",
                "name": f"{person.first} {person.last}",
                "email": person.email,
                "organization_id": number,
                "locale": "en-US",
                "active": True,
            }
            self.rows["users"][user["id"]] = user | _times(company.since)
        for place in range(3):
            self._add_ticket(company, number, place)

    def _add_ticket(self, company: Company, organization: int, place: int) -> None:
        key = company.number * 100 + place
        opened = company.since + dt.timedelta(days=15 * (place + 1))
        solved = opened + dt.timedelta(hours=20) if place != 1 else None
        requester = 6000 + company.people[place].number
        metrics = {
            "reopens": 1 if place == 2 else 0,  # noqa: PLR2004 - the third one was not solved at first
            "solved_at": iso(solved) if solved else None,
            "reply_time_in_minutes": {"calendar": 45 + place, "business": 30},
        }
        target = {"target": 60, "business_hours": False, "policy": {"id": 25, "title": "Gold"}}
        applied = {"id": key, "type": "apply_sla", "instance_id": 1, "time": iso(opened), "sla": target}
        score = (
            {"id": key, "score": "bad" if place else "good", "comment": "so so"}
            if solved
            else {"score": "offered"}
        )
        ticket = {
            "id": key,
            "subject": f"Export {place} fails",
            "raw_subject": f"Export {place} fails",
            "description": "It stopped working.",
            "priority": ("normal", "urgent", None)[place],
            "status": "solved" if solved else "open",
            "organization_id": organization,
            "requester_id": requester,
            "tags": ["escalated"] if place == 1 else [],
            "via": {"channel": "email"},
            "satisfaction_rating": score,
            "metric_set": metrics,
            "metric_events": {"reply_time": [applied]} if self.has_slas else {},
            "slas": {"policy_metrics": []},
        }
        self.rows["tickets"][key] = ticket | _times(opened, solved or opened + dt.timedelta(hours=1))
        self._add_comments(key, requester, opened)
        if solved:
            rating = {"id": key, "ticket_id": key, "requester_id": requester, **score}
            self.rows["satisfaction_ratings"][key] = rating | _times(solved)

    def _add_comments(self, ticket: int, requester: int, opened: dt.datetime) -> None:
        told = ((requester, True), (AGENT, True), (AGENT, False))
        for place, (author, is_public) in enumerate(told):
            at = opened + dt.timedelta(minutes=45 * place)
            key = ticket * 10 + place
            comment = {
                "id": key,
                "event_type": "Comment",
                "type": "Comment",
                "author_id": author,
                "public": is_public,
                "body": "…",
                "via": {"channel": "email"},
                "created_at": iso(at),
            }
            event = {"id": key, "ticket_id": ticket, "updater_id": author, "child_events": [comment]}
            self.rows["ticket_events"][key] = event | _times(at)


def _times(created: dt.datetime, updated: dt.datetime | None = None) -> Row:
    return {"created_at": iso(created), "updated_at": iso(updated or created)}


def _epoch(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp())


def _closed(since: int, last: int) -> str:
    return base64.urlsafe_b64encode(f"{since}|{last}".encode()).decode()


def _cursor(row: Row) -> str:
    return _closed(_epoch(row["updated_at"]), row["id"])


def _opened(cursor: str) -> tuple[int, int]:
    since, last = base64.urlsafe_b64decode(cursor).decode().split("|")
    return int(since), int(last)
