"""Write keys: where clients put them, and which source each belongs to, remembered for a few seconds."""

import time

from domain.permissions import NotSignedInError
from models.clock import wall_now
from models.database import Database
from models.tracking_sources import find_write_key

SECONDS = 3.0
"""How long an answer is believed: a revoked key works no longer than this."""
MOST = 10_000
"""Keys that are remembered; invented ones shall not fill the memory."""


class WriteKeys:
    """Finds the source of a key, seldom with a query."""

    def __init__(self, database: Database) -> None:
        """Remember nothing yet."""
        self._database = database
        self._known: dict[str, tuple[float, str | None]] = {}

    async def source_of(self, *secrets: str) -> str:
        """Return the source of the first of these keys that opens one; raises NotSignedInError."""
        for secret in secrets:
            source = await self._source(secret) if secret else None
            if source is not None:
                return source
        raise NotSignedInError

    async def _source(self, secret: str) -> str | None:
        now = time.monotonic()
        known = self._known.get(secret)
        if known is not None and known[0] > now:
            return known[1]
        async with self._database.transaction() as session:
            source = await find_write_key(session, secret, wall_now())
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[secret] = (now + SECONDS, source)
        return source
