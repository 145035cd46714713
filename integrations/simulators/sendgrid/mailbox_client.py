"""Asks the simulator what it took, and lets recipients do something with it; for the demo and the proofs."""

from integrations.simulators.client import SimulatorClient
from integrations.simulators.sendgrid.reactions import Reaction


class MailboxClient(SimulatorClient):
    """The simulator's control API from outside."""

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
