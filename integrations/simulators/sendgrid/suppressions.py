"""SendGrid's suppression lists."""

from typing import Any

from litestar import Controller, Response, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from integrations.simulators.sendgrid.given import GivenProvider
from integrations.simulators.sendgrid.store import Row

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
    async def show_all(self, provider: GivenProvider, name: FromPath[str]) -> list[dict[str, Any]]:
        """List the addresses."""
        return [_entry(row) for row in provider.store.suppressions(_list(name))]

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


def _entry(row: Row) -> dict[str, Any]:
    return {
        "created": row["created"],
        "email": row["email"],
        "reason": row["reason"],
        "status": row["status"],
    }
