"""Reading from providers over HTTP: explicit timeouts, their wishes about pauses, and our three errors."""

import asyncio
import datetime as dt
import random
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
TRIES = 5
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds. A provider that asks for more is left alone by the whole activity, not by one call."""
WRITE_SECONDS = 10.0
"""For one call that changes something, shorter than the lease of its effect."""
UNAVAILABLE = 503
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TIMED_OUT, TOO_MANY = 400, 401, 403, 404, 408, 429
SERVER_ERROR = 500
_CODE = re.compile(r"[A-Za-z_]{1,60}")
Json = Mapping[str, Any]
Sleep = Callable[[float], Awaitable[None]]


ABSENT = frozenset({NOT_FOUND})


@dataclass(frozen=True)
class Account:
    """Where a provider is reached, and with which header its calls are allowed."""

    provider: str
    base_url: str
    authorization: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        """Say whose account it is; its credentials are in no log."""
        return f"Account({self.provider}, {self.base_url})"


class ProviderHttp:
    """Calls one provider. Pauses when told to, tries again what may pass, and names what does not."""

    def __init__(self, account: Account, *, tries: int = TRIES, sleep: Sleep = asyncio.sleep) -> None:
        """Open a pool; `sleep` is given by tests, which do not want to wait."""
        self.provider = account.provider
        self._tries, self._sleep = tries, sleep
        headers = {"authorization": account.authorization, "user-agent": "everstay", **account.headers}
        self._client = httpx.AsyncClient(base_url=account.base_url, headers=headers, timeout=TIMEOUT)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        """Return the JSON object of a GET."""
        return self._expected(path, await self._call("GET", path, params=query))

    async def post(self, path: str, body: Any) -> Json:
        """Return the JSON object of a POST that only reads, such as a search."""
        return self._expected(path, await self._call("POST", path, json=body))

    async def write(self, method: str, path: str, body: Any) -> Json:
        """Return the answer to one call that changes something; it is never repeated here.

        Raises TransientProviderError where it certainly was not taken, UncertainDeliveryError where nobody
        can say, PermanentProviderError where it was refused.
        """
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                answer = await self._client.request(method, path, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise self._transient("no connection could be made") from None
        except (TimeoutError, httpx.TimeoutException):
            raise self._uncertain("it did not answer in time") from None
        except httpx.TransportError as error:
            raise self._uncertain(f"the connection broke: {type(error).__name__}") from None
        if answer.status_code in {TOO_MANY, UNAVAILABLE}:
            raise self._transient(f"it answered {answer.status_code}", retry_after(answer.headers))
        if answer.status_code >= SERVER_ERROR or answer.status_code == TIMED_OUT:
            raise self._uncertain(f"it answered {answer.status_code}")
        if answer.is_success and _json(answer) is None:
            raise self._uncertain("its answer is cut off or no JSON object")
        return self._expected(path, answer)

    def _uncertain(self, reason: str) -> UncertainDeliveryError:
        return UncertainDeliveryError(provider=self.provider, reason=reason)

    async def find(
        self, path: str, query: Mapping[str, Any] | None = None, absent: Collection[int] = ABSENT
    ) -> Json | None:
        """Return the JSON object of a GET, None where the provider answers that it has no such thing."""
        answer = await self._call("GET", path, params=query)
        if answer.status_code in absent:
            return None
        return self._expected(path, answer)

    async def _call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        pause = FIRST_PAUSE
        for tried in range(1, self._tries + 1):
            found = await self._once(method, path, **arguments)
            if not isinstance(found, TransientProviderError):
                return found
            asked = found.details.get("retry_after")
            wait = float(asked) if isinstance(asked, (int, float)) else pause * random.uniform(0.8, 1.2)  # noqa: S311 - spread, not secrecy
            if tried == self._tries or wait > LONGEST_PAUSE:
                raise found
            await self._sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)
        raise AssertionError("the last try returns or raises")

    async def _once(
        self, method: str, path: str, **arguments: Any
    ) -> httpx.Response | TransientProviderError:
        try:
            answer = await self._client.request(method, path, **arguments)
        except httpx.TimeoutException:
            return self._transient("it did not answer in time")
        except httpx.TransportError as error:
            return self._transient(f"the connection failed: {type(error).__name__}")
        if answer.status_code in {TOO_MANY, TIMED_OUT} or answer.status_code >= SERVER_ERROR:
            return self._transient(f"it answered {answer.status_code}", retry_after(answer.headers))
        if answer.is_success and _json(answer) is None:
            return self._transient("its answer is cut off or no JSON object")
        return answer

    def _expected(self, path: str, answer: httpx.Response) -> Json:
        """Return what was asked for, or raise the sentence that ends the pass.

        Of the provider's own words only a code is repeated: the rest may name people.
        """
        body = _json(answer) or {}
        if answer.is_success:
            return body
        if answer.status_code == UNAUTHORIZED:
            reason = "the token is not accepted; connect it again with a valid one"
        elif answer.status_code == FORBIDDEN:
            reason = f"the token may not use {answer.url.path}; give it that permission"
        else:
            reason = f"{path} was answered with {answer.status_code}{_code_of(body)}"
        raise PermanentProviderError(provider=self.provider, reason=reason)

    def _transient(self, reason: str, retry_after: float | None = None) -> TransientProviderError:
        return TransientProviderError(provider=self.provider, reason=reason, retry_after=retry_after)


def _code_of(body: Json) -> str:
    nested = body.get("error")
    told = {**body, **(nested if isinstance(nested, Mapping) else {"code": nested})}
    code = str(told.get("code") or told.get("category") or "")
    return f" ({code})" if _CODE.fullmatch(code) else ""


def _json(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds that a Retry-After asks for, as a number or as a date."""
    given = headers.get("retry-after")
    if given is None:
        return None
    try:
        return max(float(given), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    return max((until - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)
