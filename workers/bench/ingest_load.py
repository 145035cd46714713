"""The load of the ingest benchmark, in its own process: batches on kept connections, as fast as answered.

Every message has a random id, as clients make them; all the rest of a body is made before the first is sent.
"""

import asyncio
import json
import os
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import uvloop

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_OK = b"200"
ID_CHARACTERS = 32
FEATURES = ("reports", "dashboards", "exports", "alerts", "integrations", "search", "comments")


@dataclass(frozen=True)
class LoadOptions:
    """Where to send, as whom, how much at once, and for how long."""

    host: str
    port: int
    key: str
    seconds: float
    batch: int = 100
    connections: int = 32
    warm_up_seconds: float = 1.0


@dataclass
class LoadResult:
    """What was answered in the measured time."""

    acknowledged: int = 0
    sent: int = 0
    refused: int = 0
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)


class Body:
    """A batch whose ids are filled in anew for each request."""

    def __init__(self, options: LoadOptions) -> None:
        """Encode everything but the ids."""
        hole = "@" * ID_CHARACTERS
        now = datetime.now(UTC).isoformat()
        batch = [_message(number, hole, now) for number in range(options.batch)]
        whole = json.dumps({"batch": batch, "sentAt": now}, separators=(",", ":")).encode()
        self._parts: list[bytes] = []
        for part in whole.split(hole.encode()):
            self._parts += [part, b""]
        self._parts.pop()
        self._ids, self._bytes = options.batch, options.batch * ID_CHARACTERS // 2
        head = (
            f"POST /v1/batch HTTP/1.1\r\nHost: {options.host}:{options.port}\r\n"
            f"Authorization: Bearer {options.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(whole)}\r\n\r\n"
        )
        self._parts[0] = head.encode() + self._parts[0]

    def fresh(self) -> bytes:
        """Return the request with new ids."""
        ids = os.urandom(self._bytes).hex().encode()
        width = ID_CHARACTERS
        self._parts[1::2] = [ids[start : start + width] for start in range(0, self._ids * width, width)]
        return b"".join(self._parts)


def _message(number: int, message_id: str, now: str) -> dict[str, object]:
    """Return an event as Segment's Python client sends it."""
    library = {"name": "analytics-python", "version": "2.4.0"}
    return {
        "type": "track",
        "event": "Feature Used",
        "userId": f"user-{number * 7919 % 5000}",
        "anonymousId": None,
        "messageId": message_id,
        "timestamp": now,
        "integrations": {},
        "context": {"groupId": f"company-{number * 31 % 300}", "library": library},
        "properties": {
            "feature": FEATURES[number % len(FEATURES)],
            "seconds": number * 1.5,
            "plan": "enterprise",
            "rows": number * 17,
        },
    }


async def load(options: LoadOptions) -> LoadResult:
    """Send for the given time and return what was measured after the warm-up."""
    result = LoadResult()
    start = time.perf_counter() + options.warm_up_seconds
    end = start + options.seconds
    await asyncio.gather(*(_connection(options, start, end, result) for _ in range(options.connections)))
    result.seconds = options.seconds
    return result


async def _connection(options: LoadOptions, start: float, end: float, result: LoadResult) -> None:
    reader, writer = await asyncio.open_connection(options.host, options.port)
    body = Body(options)
    while (began := time.perf_counter()) < end:
        writer.write(body.fresh())
        result.sent += options.batch
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        await reader.readexactly(int(length[1]) if length else 0)
        _note(result, head, began, (start, end), options.batch)
    writer.close()


def _note(result: LoadResult, head: bytes, began: float, window: tuple[float, float], batch: int) -> None:
    ended = time.perf_counter()
    if head[9:12] != _OK:
        result.refused += batch
    elif window[0] <= ended <= window[1]:
        result.acknowledged += batch
        result.milliseconds.append((ended - began) * 1000)


def main() -> None:
    """Read the options as JSON from standard input and write the result to standard output."""
    options = LoadOptions(**json.load(sys.stdin))
    sys.stdout.write(json.dumps(asdict(uvloop.run(load(options)))))


if __name__ == "__main__":
    main()
