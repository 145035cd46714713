"""Makes the provider behave so that kills hit something: slow to answer, at times without webhooks."""

from types import TracebackType
from typing import Any, Self

import httpx


class Provider:
    """The simulator's switches."""

    def __init__(self, simulators_url: str, answer_seconds: float) -> None:
        self._answer_seconds = answer_seconds
        self._http = httpx.AsyncClient(base_url=simulators_url, timeout=30.0, trust_env=False)
        self._webhook_url: str | None = None

    async def __aenter__(self) -> Self:
        """Have it take its time from now on."""
        answer = await self._http.get("/_control")
        self._webhook_url = answer.raise_for_status().json()["switches"]["webhook_url"]
        await self._switch(answer_seconds=self._answer_seconds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def tell(self, *, of_its_messages: bool) -> None:
        """Send webhooks for what it takes from now on, or none: then only asking it settles a doubt."""
        await self._switch(webhook_url=self._webhook_url if of_its_messages else None)

    async def _switch(self, **switches: Any) -> None:
        answer = await self._http.patch("/_control/switches", json=switches)
        answer.raise_for_status()
