"""What programs that talk to the simulators from outside share: one connection pool, closed at the end."""

from types import TracebackType
from typing import Self

import httpx

TIMEOUT = httpx.Timeout(30.0)
"""Long: a simulator that has hundreds of customers lives through their days within one call."""


class SimulatorClient:
    """A client of the simulators' address; used in `async with`."""

    def __init__(self, simulators_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=simulators_url, timeout=TIMEOUT, trust_env=False)

    async def __aenter__(self) -> Self:
        """Connect with the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()
