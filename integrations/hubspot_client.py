"""HubSpot's CRM: companies, contacts, deals and what was said (e-mails, calls, meetings, notes).

Everything is read by its time of change, each page beginning where the last one ended instead of by offset:
so the search's limit of 10,000 results is never met, and an object that changes while we read is not skipped.
The search lags behind by some seconds; the last minute is therefore read again by the next pass.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from domain.errors import PermanentProviderError
from domain.facts import Fact
from domain.pulling import Cursor, Hint, Page, Told, instant_or_none, parse_instant
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline
from integrations.hubspot_facts import facts_of, hints_of
from integrations.provider_http import Account, ProviderHttp

PROVIDER = "HubSpot"
BASE_URL = "https://api.hubapi.com"
PER_PAGE, PER_LINK_PAGE = 100, 500
LAG = dt.timedelta(seconds=60)
FIELDS: Mapping[str, Sequence[str]] = {
    "companies": (
        "name",
        "domain",
        "industry",
        "country",
        "timezone",
        "numberofemployees",
        "lifecyclestage",
        "hubspot_owner_id",
    ),
    "contacts": (
        "firstname",
        "lastname",
        "email",
        "jobtitle",
        "hs_buying_role",
        "hs_role",
        "hs_language",
        "hs_timezone",
    ),
    "deals": (
        "dealname",
        "dealtype",
        "pipeline",
        "closedate",
        "hs_arr",
        "deal_currency_code",
        "hs_is_closed",
        "hs_is_closed_won",
    ),
    "emails": (
        "hs_timestamp",
        "hs_email_subject",
        "hs_email_direction",
        "hs_email_status",
        "hubspot_owner_id",
    ),
    "calls": ("hs_timestamp", "hs_call_title", "hs_call_direction", "hs_call_status", "hubspot_owner_id"),
    "meetings": (
        "hs_timestamp",
        "hs_meeting_title",
        "hs_meeting_start_time",
        "hs_meeting_outcome",
        "hubspot_owner_id",
    ),
    "notes": ("hs_timestamp", "hubspot_owner_id"),
}
"""The streams, in the order in which they are read, and the properties asked for; no bodies of messages."""
CHANGED = {"contacts": "lastmodifieddate"}
"""Contacts alone spell it without the prefix."""
CUSTOMER_STAGES = ("customer", "evangelist")
OF_A_COMPANY = tuple(stream for stream in FIELDS if stream != "companies")
WITH_CONTACTS = ("emails", "calls", "meetings", "notes")


class HubSpotReader:
    """Reads with the token of a private app. Only companies in a customer's stage, and theirs, concern us."""

    streams = tuple(FIELDS)
    parents = "companies"

    def __init__(self, http: ProviderHttp, options: Mapping[str, Any]) -> None:
        """Take the plumbing; options: customer_stages, id_property, renewal_property, arr_property."""
        self._http, self._options = http, options
        self._stages = tuple(options.get("customer_stages") or CUSTOMER_STAGES)
        self._owners: dict[str, str] | None = None

    async def check(self) -> str:
        """Ask for one object of each kind."""
        for stream in self.streams:
            await self._http.get(f"/crm/v3/objects/{stream}", {"limit": 1})
        return f"It may read {', '.join(self.streams[:-1])} and {self.streams[-1]}."

    async def page(self, stream: str, cursor: Cursor, now: WallInstant) -> Page:
        """Return the next objects in the order of their change."""
        found = await self._http.post(f"/crm/v3/objects/{stream}/search", self._search(stream, cursor))
        rows = found["results"]
        is_last = not rows or not (found.get("paging") or {}).get("next")
        told = await self._complete(stream, rows)
        moved = _moved(cursor, [_changed(stream, row) for row in rows], rows, now, is_last=is_last)
        return Page(tuple(told), moved, is_last="within" not in cursor and is_last, read=len(rows))

    def _search(self, stream: str, cursor: Cursor) -> dict[str, Any]:
        name = CHANGED.get(stream, "hs_lastmodifieddate")
        order = name
        filters = [_filter(name, "GTE", cursor.get("since", 0))]
        if "within" in cursor:  # a whole page was changed in one millisecond: go on by id inside of it
            order = "hs_object_id"
            filters = [_filter(name, "EQ", cursor["since"]), _filter(order, "GT", cursor["within"])]
        return {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": self._properties(stream, name),
            "limit": PER_PAGE,
        }

    def _properties(self, stream: str, changed: str) -> list[str]:
        own = [str(self._options[key]) for key in ("id_property",) if self._options.get(key)]
        if stream == "deals":
            keys = ("renewal_property", "arr_property")
            own = [str(self._options[key]) for key in keys if self._options.get(key)]
        elif stream != "companies":
            own = []
        return [*FIELDS[stream], *own, "createdate", changed]

    async def one(self, stream: str, object_id: str) -> Sequence[Told]:
        """Return one object as it is now."""
        if stream not in FIELDS:
            return []
        wanted = ",".join(self._properties(stream, CHANGED.get(stream, "hs_lastmodifieddate")))
        row = await self._http.find(f"/crm/v3/objects/{stream}/{object_id}", {"properties": wanted})
        return [] if row is None else await self._complete(stream, [row])

    async def children(self, parent_id: str, streams: Collection[str]) -> list[tuple[str, str]]:
        """Return what belongs to a company, to be read when it becomes a customer."""
        wanted = [stream for stream in OF_A_COMPANY if stream in streams]
        return [(stream, one) for stream in wanted for one in await self._members(parent_id, stream)]

    async def _members(self, company_id: str, stream: str) -> list[str]:
        path = f"/crm/v3/objects/companies/{company_id}/associations/{stream}"
        found, after = dict[str, None](), dict[str, str]()
        while True:
            answer = await self._http.get(path, {"limit": PER_LINK_PAGE, **after})
            found |= {str(one["id"]): None for one in answer["results"]}
            if "paging" not in answer:
                return list(found)
            after = {"after": answer["paging"]["next"]["after"]}

    async def _complete(self, stream: str, rows: Sequence[Mapping[str, Any]]) -> list[Told]:
        """Add companies, contacts and owners by name, and leave out what is no customer's."""
        ids = [str(row["id"]) for row in rows]
        companies = {} if stream == "companies" else await self._associated(stream, "companies", ids)
        contacts = await self._associated(stream, "contacts", ids) if stream in WITH_CONTACTS else {}
        customers = await self._customers({one for some in companies.values() for one in some})
        told: list[Told] = []
        for row in rows:
            of = [customers[one] for one in companies.get(str(row["id"]), []) if one in customers]
            if of or (stream == "companies" and self._is_customer(row)):
                extra = {"companies": of, "contacts": contacts.get(str(row["id"]), [])}
                told.append(await self._told(stream, row, extra))
        return told

    async def _told(self, stream: str, row: Mapping[str, Any], extra: Mapping[str, Any]) -> Told:
        owner = (row.get("properties") or {}).get("hubspot_owner_id")
        body = {
            **row,
            **extra,
            "owner_email": (await self._owner_emails()).get(str(owner)) if owner else None,
        }
        created = row.get("createdAt") or (row.get("properties") or {}).get("createdate")
        return Told(
            stream,
            str(row["id"]),
            body | {"options": dict(self._options)},
            instant_or_none(created, "createdAt"),
            instant_or_none(_changed(stream, row), "updatedAt"),
        )

    def _is_customer(self, company: Mapping[str, Any]) -> bool:
        return (company.get("properties") or {}).get("lifecyclestage") in self._stages or "*" in self._stages

    async def _customers(self, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        wanted, found = sorted(ids), dict[str, Mapping[str, Any]]()
        for first in range(0, len(wanted), PER_PAGE):
            inputs = [{"id": one} for one in wanted[first : first + PER_PAGE]]
            query = {"inputs": inputs, "properties": self._properties("companies", "hs_lastmodifieddate")}
            answer = await self._http.post("/crm/v3/objects/companies/batch/read", query)
            found |= {str(row["id"]): row for row in answer["results"] if self._is_customer(row)}
        return found

    async def _associated(self, stream: str, other: str, ids: Sequence[str]) -> dict[str, list[str]]:
        if not ids:
            return {}
        path = f"/crm/v3/associations/{stream}/{other}/batch/read"
        answer = await self._http.post(path, {"inputs": [{"id": one} for one in ids]})
        return {
            str(row["from"]["id"]): list(dict.fromkeys(str(to["id"]) for to in row["to"]))
            for row in answer["results"]
        }

    async def _owner_emails(self) -> dict[str, str]:
        """Return the users of HubSpot by id; asked for once per pass."""
        if self._owners is None:
            self._owners, after = {}, dict[str, str]()
            while True:
                answer = await self._http.get("/crm/v3/owners", {"limit": PER_PAGE, **after})
                self._owners |= {
                    str(one["id"]): one["email"].lower() for one in answer["results"] if one.get("email")
                }
                if "paging" not in answer:
                    break
                after = {"after": answer["paging"]["next"]["after"]}
        return self._owners

    def facts_of(
        self, told: Told, known_at: BusinessInstant, timeline: Timeline
    ) -> tuple[list[Fact], list[Hint]]:
        """Translate."""
        return facts_of(told.kind, told.body, known_at, timeline), hints_of(told.kind, told.body)


def hubspot_account(options: Mapping[str, Any], secrets: Mapping[str, str]) -> Account:
    """Return how HubSpot is reached with this connection's token."""
    if not secrets.get("token"):
        raise PermanentProviderError(provider=PROVIDER, reason="the connection has no token")
    return Account(PROVIDER, str(options.get("base_url") or BASE_URL), f"Bearer {secrets['token']}", {})


def _filter(name: str, operator: str, value: object) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": str(value)}


def _changed(stream: str, row: Mapping[str, Any]) -> str:
    properties = row.get("properties") or {}
    changed: str = properties.get(CHANGED.get(stream, "hs_lastmodifieddate")) or row.get("updatedAt") or ""
    return changed


def _millis(text: str) -> int:
    return int(parse_instant(text, "hs_lastmodifieddate").timestamp() * 1000)


def _moved(
    cursor: Cursor,
    changes: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    now: WallInstant,
    *,
    is_last: bool,
) -> dict[str, Any]:
    """Return where the next page begins."""
    since = int(cursor.get("since", 0))
    if "within" in cursor:
        return {"since": since + 1} if is_last else {"since": since, "within": str(rows[-1]["id"])}
    newest = max((_millis(change) for change in changes), default=since)
    if is_last:
        return {"since": max(since, min(newest, int((now - LAG).timestamp() * 1000)))}
    return {"since": newest} if newest > since else {"since": since, "within": "0"}
