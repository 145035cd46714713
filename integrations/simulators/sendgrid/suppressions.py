"""SendGrid's suppression lists."""

from typing import Any

from litestar import Controller, Response, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody

from integrations.simulators.sendgrid.api import ANSWERS, faulty
from integrations.simulators.sendgrid.given import GivenProvider
from integrations.simulators.sendgrid.store import Row

LARGEST_PAGE = 500
GROUP = "group"
_LISTS = {
    "bounces": "bounces",
    "blocks": "blocks",
    "spam_reports": "spam_reports",
    "invalid_emails": "invalid_emails",
    "unsubscribes": "global",
}


class SuppressionController(Controller):
    """The lists by reason: read, and taken off one by one."""

    path = "/suppression/{name:str}"

    @get("/")
    async def show_all(
        self,
        provider: GivenProvider,
        name: FromPath[str],
        start_time: FromQuery[int] = 0,
        limit: FromQuery[int] = LARGEST_PAGE,
        offset: FromQuery[int] = 0,
    ) -> Response[Any]:
        """List the addresses, the latest first, or meet the fault of `list:<name>`."""
        fault = provider.faults.take(f"list:{name}")
        if fault in ANSWERS:
            return faulty(fault)
        rows = [row for row in provider.store.suppressions(_list(name)) if row["created"] >= start_time]
        latest = list(reversed(rows))[offset : offset + min(limit, LARGEST_PAGE)]
        return Response([_entry(row) for row in latest])

    @get("/{email:str}")
    async def show(
        self, provider: GivenProvider, name: FromPath[str], email: FromPath[str]
    ) -> list[dict[str, Any]]:
        """Show one address, as a list of one or none."""
        return [_entry(row) for row in provider.store.suppressions(_list(name), email)]

    @delete("/{email:str}")
    async def release(self, provider: GivenProvider, name: FromPath[str], email: FromPath[str]) -> None:
        """Take an address off the list."""
        provider.store.release(_list(name), email)


class GroupSuppressionController(Controller):
    """Addresses that left one group of mail: all of them at once, and one group's."""

    path = "/asm"

    @get("/suppressions")
    async def show_all(self, provider: GivenProvider) -> Response[Any]:
        """List every group's addresses, or meet the fault of `list:groups`."""
        fault = provider.faults.take("list:groups")
        if fault in ANSWERS:
            return faulty(fault)
        return Response([_group_entry(row) for row in provider.store.suppressions(GROUP)])

    @post("/groups/{group_id:int}/suppressions")
    async def add(
        self, provider: GivenProvider, group_id: FromPath[int], data: JSONBody[dict[str, list[str]]]
    ) -> Response[Any]:
        """Put addresses on a group's list."""
        for email in data["recipient_emails"]:
            provider.store.suppress(GROUP, email, str(group_id))
        return Response({"recipient_emails": data["recipient_emails"]}, status_code=201)


class GlobalSuppressionController(Controller):
    """The list of people who want nothing from this account."""

    path = "/asm/suppressions/global"

    @post("/")
    async def add(self, provider: GivenProvider, data: JSONBody[dict[str, list[str]]]) -> Response[Any]:
        """Put addresses on the list."""
        for email in data["recipient_emails"]:
            provider.store.suppress("global", email, "asked to stop")
        return Response({"recipient_emails": data["recipient_emails"]}, status_code=201)

    @get("/{email:str}")
    async def show(self, provider: GivenProvider, email: FromPath[str]) -> dict[str, str]:
        """Show an address, or an empty object where it is not on the list."""
        return {"recipient_email": email} if provider.store.suppressions("global", email) else {}

    @delete("/{email:str}")
    async def release(self, provider: GivenProvider, email: FromPath[str]) -> None:
        """Take an address off the list."""
        provider.store.release("global", email)


def _list(name: str) -> str:
    if name not in _LISTS:
        raise NotFoundException
    return _LISTS[name]


def _group_entry(row: Row) -> dict[str, Any]:
    group = int(row["reason"])
    return {
        "email": row["email"],
        "group_id": group,
        "group_name": f"Group {group}",
        "created_at": row["created"],
    }


def _entry(row: Row) -> dict[str, Any]:
    return {
        "created": row["created"],
        "email": row["email"],
        "reason": row["reason"],
        "status": row["status"],
    }
