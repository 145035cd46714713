"""Idempotency keys: the same key is one request, whatever happens to its answer."""

import hashlib
import time
from collections.abc import Mapping

import msgspec

from integrations.simulators.stripe.errors import BAD_REQUEST, CONFLICT, StripeRefusal
from integrations.simulators.stripe.store import Row, StripeStore

ANSWERS = "_answers"
REMEMBERED_SECONDS = 24 * 3600
"""By the wall clock, as Stripe says."""


class Idempotency:
    """What was answered under each key; kept on disk with what the request changed."""

    def __init__(self, store: StripeStore) -> None:
        self._store = store
        self._in_flight: set[str] = set()

    def begin(self, key: str, method: str, path: str, body: bytes) -> Row | None:
        """Return the answer that a key has had, None for a new one; StripeRefusal where it is misused."""
        if not key:
            return None
        if key in self._in_flight:
            message = f"There is currently another in-progress request using this Idempotent Key ({key})."
            raise StripeRefusal(message, CONFLICT, code="idempotency_key_in_use", kind="idempotency_error")
        kept = self._store.of(ANSWERS).get(key)
        if kept is None or kept["at"] + REMEMBERED_SECONDS < time.time():
            self._in_flight.add(key)
            return None
        if kept["request"] != _digest(method, path, body):
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first"
                f" used with. Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise StripeRefusal(message, BAD_REQUEST, kind="idempotency_error")
        return kept

    def keep(self, key: str, request: tuple[str, str, bytes], status: int, answer: Mapping[str, str]) -> None:
        """Remember the answer to a request: its id and its body."""
        if key:
            kept = {"id": key, "at": time.time(), "request": _digest(*request), "status": status, **answer}
            self._store.put(ANSWERS, kept)

    def end(self, key: str) -> None:
        """Note that a request is no longer under way."""
        self._in_flight.discard(key)

    def forget(self) -> int:
        """Forget every answer, as after a day; returns how many there were."""
        held = list(self._store.of(ANSWERS))
        for key in held:
            self._store.drop(ANSWERS, key)
        return len(held)


def _digest(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(msgspec.json.encode([method, path, body.decode(errors="replace")])).hexdigest()
