"""Fetching a calendar's feed: an address that somebody keeps secret, over http, https or webcal."""

import hashlib
import re
from dataclasses import dataclass

import httpx

from domain.errors import PermanentProviderError, TransientProviderError

TIMEOUT_SECONDS = 20.0
MAX_BYTES = 10_000_000
_STAMPS = re.compile(rb"^(DTSTAMP|X-WR-RELCALID|PRODID)[:;].*\r?\n", re.MULTILINE)
"""Lines that some servers write anew at every request."""
_SERVER_ERROR = 500
_WAIT = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Feed:
    """What was fetched. `digest` is the same while nothing that matters has changed."""

    body: bytes
    content_type: str | None

    @property
    def digest(self) -> str:
        """Return the digest of the feed without what changes at every request."""
        return hashlib.sha256(_STAMPS.sub(b"", self.body)).hexdigest()


async def fetch_feed(url: str) -> Feed:
    """Return the feed; raises TransientProviderError, PermanentProviderError, neither with the address."""
    address = re.sub(r"^webcals?://", "https://", url.strip())
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=True) as client,
            client.stream("GET", address, headers={"accept": "text/calendar"}) as answer,
        ):
            _check(answer)
            return Feed(await _read(answer), answer.headers.get("content-type"))
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise PermanentProviderError(provider="The calendar", reason="its address is no URL") from None
    except httpx.HTTPError as error:
        raise TransientProviderError(provider="The calendar", reason=type(error).__name__) from None


def _check(answer: httpx.Response) -> None:
    status = answer.status_code
    if status >= _SERVER_ERROR or status in _WAIT:
        raise TransientProviderError(provider="The calendar", reason=f"status {status}")
    if not answer.is_success:
        raise PermanentProviderError(provider="The calendar", reason=f"status {status}")


async def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MAX_BYTES:
            raise PermanentProviderError(provider="The calendar", reason=f"more than {MAX_BYTES} bytes")
    return bytes(body)
