"""Turns the simulators' switches from outside, and reads their books: for benchmarks."""

from typing import Any

from integrations.simulators.client import SimulatorClient

PAGE = 200


class SimulatorControl(SimulatorClient):
    """The control API at a simulators' address; a call that is refused raises httpx.HTTPError."""

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make one call under `/_control`, and return what it says, if anything."""
        answer = await self._http.request(method, f"/_control{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def deliveries(self) -> list[str]:
        """Return the delivery id of every message that was taken, repeated as often as it was."""
        found: list[str] = []
        while True:
            answer = await self._http.get("/_mailbox", params={"limit": PAGE, "offset": len(found)})
            messages = answer.raise_for_status().json()["messages"]
            found += [one["custom_args"]["delivery_id"] for one in messages]
            if len(messages) < PAGE:
                return found

    async def charges(self) -> list[str]:
        """Return the invoice of every charge that was ever tried, repeated as often as it was."""
        return [str(one["invoice"]) for one in await self.call("GET", "/stripe/charges")]
