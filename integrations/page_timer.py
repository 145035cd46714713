"""A browser's requests without the browser: signs in by link, fetches pages, and reads Server-Timing."""

import re
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]+)"')
_TIMING = re.compile(r'(\w+);dur=([\d.]+)(?:;desc="(\d+)")?')


@dataclass(frozen=True)
class PageTiming:
    """One fetched page: milliseconds seen by the caller, and what the server says of them."""

    status: int
    milliseconds: float
    kilobytes: float
    queries: int
    render_ms: float


class PageTimer:
    """Fetches pages of one server, one after the other, on one connection."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=30.0, follow_redirects=True)

    def __enter__(self) -> Self:
        """Use it as a context, so that its connection is closed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._client.close()

    def sign_in(self, link: str) -> None:
        """Open a session through a sign-in link's form."""
        page = self._client.get(link)
        fields = dict(_HIDDEN.findall(page.text))
        self._client.post(link, data=fields).raise_for_status()

    def fetch(self, path: str) -> PageTiming:
        """Fetch one page; an error status raises."""
        began = time.perf_counter()
        answer = self._client.get(path)
        milliseconds = (time.perf_counter() - began) * 1000
        answer.raise_for_status()
        parts = {
            name: (float(ms), count) for name, ms, count in _TIMING.findall(answer.headers["server-timing"])
        }
        return PageTiming(
            answer.status_code,
            milliseconds,
            len(answer.content) / 1024,
            int(parts["db"][1] or 0),
            parts["render"][0],
        )

    def json(self, path: str) -> object:
        """Fetch JSON."""
        return self._client.get(path, headers={"Accept": "application/json"}).raise_for_status().json()
