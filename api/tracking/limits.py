"""How much one write key may send: a bucket that fills at a steady rate, in the memory of each process."""

import math
import time
from collections.abc import Callable

from domain.errors import EverstayError

BURST_SECONDS = 2.0


class TooManyMessagesSentError(EverstayError):
    """This write key sends more than {rate} messages a second; send this again in {retry_after} s."""

    status = 429

    @property
    def retry_after(self) -> int:
        """Whole seconds until there is room."""
        return int(str(self.details["retry_after"]))


class RateLimit:
    """A bucket per key; a request that finds any room may take it, and the next one pays."""

    def __init__(self, rate: float, now: Callable[[], float] = time.monotonic) -> None:
        """Allow `rate` messages a second, and twice as many at once."""
        self._rate, self._now = rate, now
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str, messages: int) -> None:
        """Count messages of a key; raises TooManyMessagesSentError when its bucket is empty."""
        now, most = self._now(), self._rate * BURST_SECONDS
        room, at = self._buckets.get(key, (most, now))
        room = min(most, room + (now - at) * self._rate)
        if room <= 0:
            wait = max(1, math.ceil((1 - room) / self._rate))
            raise TooManyMessagesSentError(rate=f"{self._rate:g}", retry_after=wait)
        self._buckets[key] = (room - max(messages, 1), now)
