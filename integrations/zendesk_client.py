"""Zendesk Support: organisations, users, tickets with their targets, public comments and CSAT answers.

Incremental exports: by cursor for tickets and users, by time for organisations and ticket events. They leave
out the last minute, so nothing is ever read while it is still being written.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.errors import PermanentProviderError
from domain.facts import Fact
from domain.pulling import Cursor, Hint, Page, Told, instant_or_none, parse_instant
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline
from integrations.provider_http import FORBIDDEN, NOT_FOUND, Account, ProviderHttp
from integrations.zendesk_facts import facts_of, hints_of

PROVIDER = "Zendesk"
AT_ONCE = 100
SIDE_LOADS = "users,metric_sets,metric_events,slas"
"""What a ticket's facts need beside the ticket itself."""
BY_CURSOR = {
    "users": "/api/v2/incremental/users/cursor.json",
    "tickets": "/api/v2/incremental/tickets/cursor.json",
}
BY_TIME = {
    "organizations": "/api/v2/incremental/organizations.json",
    "comments": "/api/v2/incremental/ticket_events.json",
}
ROWS = {"organizations": "organizations", "users": "users", "tickets": "tickets", "comments": "ticket_events"}
KINDS = {"organizations": "organization", "users": "user", "tickets": "ticket", "ratings": "rating"}
RATINGS = "ratings"
Rows = Sequence[Mapping[str, Any]]


class ZendeskReader:
    """Reads with an API token and its user's address, or with an OAuth token."""

    streams: tuple[str, ...] = ("organizations", "users", "tickets", "comments", RATINGS)

    def __init__(self, http: ProviderHttp, options: Mapping[str, Any]) -> None:
        """Take the plumbing; options: targets, time in minutes by priority where there is no SLA."""
        self._http, self._options = http, options
        self._has_policies: bool | None = None

    async def check(self) -> str:
        """Ask for one object of each kind."""
        for path in ("organizations", "users", "tickets", "satisfaction_ratings"):
            await self._http.get(f"/api/v2/{path}.json", {"page[size]": 1})
        has = "with" if await self._policies() else "without"
        return f"It may read organizations, users, tickets and ratings; the account is {has} SLA policies."

    async def page(self, stream: str, cursor: Cursor, _now: WallInstant) -> Page:
        """Return the next objects that changed."""
        if stream == RATINGS:
            return await self._ratings(cursor)
        path = BY_CURSOR.get(stream) or BY_TIME[stream]
        begin = {"start_time": cursor.get("start_time", 0)}
        query: dict[str, Any] = {"cursor": cursor["cursor"]} if "cursor" in cursor else begin
        sides = {"tickets": SIDE_LOADS, "comments": "comment_events"}.get(stream)
        answer = await self._http.get(path, query | ({"include": sides} if sides else {}))
        rows = answer[ROWS[stream]]
        if stream in BY_CURSOR:
            moved = {"cursor": answer["after_cursor"]} if answer.get("after_cursor") else dict(cursor)
            is_last = bool(answer.get("end_of_stream"))
        else:
            end = answer.get("end_time") or query["start_time"]
            moved = {"start_time": end}
            is_last = bool(answer.get("end_of_stream")) or end == query["start_time"]
        told = await self._complete(stream, rows, answer.get("users", []))
        return Page(tuple(told), moved, is_last=is_last, read=len(rows))

    async def one(self, stream: str, object_id: str) -> Sequence[Told]:
        """Return one object as it is now; the comments of a ticket by the ticket's id."""
        if stream == "comments":
            return await self._comments_of(object_id)
        if stream not in KINDS:
            return []
        path = "satisfaction_ratings" if stream == RATINGS else stream
        include = {"include": SIDE_LOADS} if stream == "tickets" else None
        answer = await self._http.find(f"/api/v2/{path}/{object_id}.json", include)
        if answer is None:
            return []
        row = answer["satisfaction_rating" if stream == RATINGS else KINDS[stream]]
        return await self._complete(stream, [row], answer.get("users", []))

    async def _comments_of(self, ticket_id: str) -> list[Told]:
        answer = await self._http.get(f"/api/v2/tickets/{ticket_id}/comments.json", {"page[size]": AT_ONCE})
        events = [{"ticket_id": int(ticket_id), "child_events": answer["comments"]}]
        return await self._comments(events)

    async def _ratings(self, cursor: Cursor) -> Page:
        query: dict[str, Any] = {"score": "received", "start_time": cursor.get("start_time", 0)}
        query["page[size]"] = AT_ONCE
        if "after" in cursor:
            query["page[after]"] = cursor["after"]
        answer = await self._http.get("/api/v2/satisfaction_ratings.json", query)
        rows, meta = answer["satisfaction_ratings"], answer.get("meta") or {}
        told = await self._complete(RATINGS, rows, [])
        newest = max(
            [int(parse_instant(row["created_at"], "created_at").timestamp()) for row in rows], default=0
        )
        newest = max(newest, int(cursor.get("newest", 0)), int(cursor.get("start_time", 0)))
        if meta.get("has_more") and rows:
            moved = {"start_time": query["start_time"], "after": meta["after_cursor"], "newest": newest}
            return Page(tuple(told), moved, is_last=False, read=len(rows))
        return Page(tuple(told), {"start_time": newest}, is_last=True, read=len(rows))

    async def _complete(self, stream: str, rows: Rows, users: Rows) -> list[Told]:
        if stream == "comments":
            return await self._comments(rows)
        if stream == RATINGS:
            users = await self._many("users", [row["requester_id"] for row in rows])
        known = {user["id"]: user for user in users}
        extra: dict[str, Any] = {}
        if stream == "tickets":
            targets = self._options.get("targets") or {}
            extra = {"has_policies": await self._policies(), "targets": targets}
        return [
            _told(KINDS[stream], {**row, **extra, "requester": known.get(row.get("requester_id"))})
            for row in rows
        ]

    async def _comments(self, events: Rows) -> list[Told]:
        """Return the public comments of some ticket events, with their ticket, author and requester."""
        public = [
            (event["ticket_id"], child)
            for event in events
            for child in event.get("child_events") or []
            if child.get("type", child.get("event_type")) == "Comment" and child.get("public")
        ]
        tickets = {row["id"]: row for row in await self._many("tickets", [ticket for ticket, _ in public])}
        people = [child.get("author_id") for _, child in public]
        people += [row.get("requester_id") for row in tickets.values()]
        users = {row["id"]: row for row in await self._many("users", people)}
        told: list[Told] = []
        for ticket_id, child in public:
            ticket = tickets.get(ticket_id)
            if ticket is not None:
                requester = users.get(ticket.get("requester_id"))
                more = {"ticket": ticket, "requester": requester, "author": users.get(child.get("author_id"))}
                told.append(_told("comment", {**child, **more}))
        return told

    async def _many(self, kind: str, ids: Iterable[int | None]) -> list[Mapping[str, Any]]:
        wanted, found = sorted({one for one in ids if one}), list[Mapping[str, Any]]()
        for first in range(0, len(wanted), AT_ONCE):
            some = ",".join(str(one) for one in wanted[first : first + AT_ONCE])
            found += (await self._http.get(f"/api/v2/{kind}/show_many.json", {"ids": some}))[kind]
        return found

    async def _policies(self) -> bool:
        """Tell whether the account has SLA policies; accounts without the feature answer 403 or 404."""
        if self._has_policies is None:
            answer = await self._http.find("/api/v2/slas/policies.json", absent={FORBIDDEN, NOT_FOUND})
            self._has_policies = bool(answer and answer.get("sla_policies"))
        return self._has_policies

    def facts_of(
        self, told: Told, known_at: BusinessInstant, timeline: Timeline
    ) -> tuple[list[Fact], list[Hint]]:
        """Translate."""
        return facts_of(told.kind, told.body, known_at, timeline), hints_of(told.kind, told.body)


def zendesk_account(options: Mapping[str, Any], secrets: Mapping[str, str]) -> Account:
    """Return how Zendesk is reached: by API token with its user, else by OAuth token."""
    base, token, user = options.get("base_url"), secrets.get("token"), options.get("user")
    if not base:
        raise PermanentProviderError(
            provider=PROVIDER, reason="the connection has no address; give --base-url"
        )
    if not token:
        raise PermanentProviderError(provider=PROVIDER, reason="the connection has no token")
    pair = base64.b64encode(f"{user}/token:{token}".encode()).decode()
    return Account(PROVIDER, str(base), f"Basic {pair}" if user else f"Bearer {token}", {})


def _told(kind: str, body: Mapping[str, Any]) -> Told:
    created, changed = body.get("created_at"), body.get("updated_at") or body.get("created_at")
    return Told(
        kind,
        str(body["id"]),
        body,
        instant_or_none(created, "created_at"),
        instant_or_none(changed, "updated_at"),
    )
