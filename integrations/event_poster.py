"""A tracking client of one event per call, as small as one can be: for benchmarks and examples."""

from types import TracebackType
from typing import Any, Self

import httpx


class EventPoster:
    """Posts single messages to the tracking API of one installation with one write key."""

    def __init__(self, base_url: str, write_key: str) -> None:
        """Keep one connection open, as clients do."""
        self._client = httpx.AsyncClient(base_url=base_url, auth=(write_key, ""), timeout=10.0)

    async def __aenter__(self) -> Self:
        """Use it as a context, so that its connection is closed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def track(self, message: dict[str, Any]) -> None:
        """Post one track message; raises httpx.HTTPStatusError unless it was taken."""
        answer = await self._client.post("/v1/track", json=message)
        answer.raise_for_status()
