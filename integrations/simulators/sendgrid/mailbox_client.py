"""Asks the simulator what it took, and lets recipients do something with it; for the demo and the proofs."""

from types import TracebackType
from typing import Self

import httpx

from integrations.simulators.sendgrid.reactions import Reaction

TIMEOUT = httpx.Timeout(5.0)


class MailboxClient:
    """The simulator's control API from outside."""

    def __init__(self, simulators_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=simulators_url, timeout=TIMEOUT, trust_env=False)

    async def __aenter__(self) -> Self:
        """Use it in `async with`, which closes the connections."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def count(self) -> int:
        """Return how many messages the mailbox holds."""
        answer = await self._http.get("/_mailbox", params={"limit": 1})
        answer.raise_for_status()
        return int(answer.json()["counts"]["messages"])

    async def count_of(self, category: str) -> int:
        """Return how many of them are of a category."""
        answer = await self._http.get("/_mailbox", params={"limit": 1, "category": category})
        answer.raise_for_status()
        return int(answer.json()["total"])

    async def react(self, delivery_id: str, reaction: Reaction, text: str = "") -> None:
        """Let the recipient of a message do something."""
        body = {"delivery_id": delivery_id, "reaction": reaction.value, "text": text}
        (await self._http.post("/_control/reactions", json=body)).raise_for_status()
