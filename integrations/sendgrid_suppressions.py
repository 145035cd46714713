"""SendGrid's suppression lists, read page by page. What cannot be read now is read in the next round."""

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence

import httpx
import msgspec

from domain.errors import PermanentProviderError, TransientProviderError
from domain.suppressions import ListedAddress, SuppressionList
from domain.time import WallInstant, wall
from integrations.provider_http import retry_after

PROVIDER = "SendGrid"
PAGE = 500
"""The most that SendGrid gives at once."""
TIMEOUT = httpx.Timeout(20.0, connect=10.0)
TOO_MANY, TIMED_OUT, BAD_REQUEST, SERVER_ERROR = 429, 408, 400, 500
PATHS: Mapping[SuppressionList, str] = {
    SuppressionList.BOUNCES: "/v3/suppression/bounces",
    SuppressionList.BLOCKS: "/v3/suppression/blocks",
    SuppressionList.SPAM_REPORTS: "/v3/suppression/spam_reports",
    SuppressionList.INVALID_EMAILS: "/v3/suppression/invalid_emails",
    SuppressionList.UNSUBSCRIBES: "/v3/suppression/unsubscribes",
}
GROUPS = "/v3/asm/suppressions"
"""All groups' at once; SendGrid gives it whole, without pages and without a time to begin at."""


class _Entry(msgspec.Struct):
    email: str
    created: float = 0.0
    created_at: float = 0.0
    reason: str = ""
    group_name: str = ""


class SendGridSuppressions:
    """The SuppressionReader port over SendGrid v3."""

    name = "sendgrid"

    def __init__(self, api_key: str, host: str) -> None:
        """Take the key of an account, which needs the scopes to read suppressions."""
        self._headers = {"authorization": f"Bearer {api_key}", "user-agent": "everstay"}
        self._host = host

    async def pages(
        self, which: SuppressionList, since: WallInstant | None
    ) -> AsyncIterator[Sequence[ListedAddress]]:
        """Yield what was listed at `since` or later, None for everything."""
        async with httpx.AsyncClient(
            base_url=self._host, headers=self._headers, timeout=TIMEOUT, trust_env=False
        ) as client:
            if which is SuppressionList.GROUP_UNSUBSCRIBES:
                entries = _typed(await self._ask(client, GROUPS, {}))
                yield [each for each in entries if since is None or each.listed_at >= since]
                return
            begins = {"start_time": int(since.timestamp())} if since is not None else {}
            offset, full = 0, True
            while full:
                query = {**begins, "limit": PAGE, "offset": offset}
                page = _typed(await self._ask(client, PATHS[which], query))
                yield page
                offset, full = offset + PAGE, len(page) == PAGE

    async def _ask(self, client: httpx.AsyncClient, path: str, query: Mapping[str, int]) -> list[_Entry]:
        try:
            answer = await client.get(path, params=query)
        except httpx.HTTPError as error:
            raise TransientProviderError(
                provider=PROVIDER, reason=f"{path}: {type(error).__name__}"
            ) from error
        status = answer.status_code
        if status in {TOO_MANY, TIMED_OUT} or status >= SERVER_ERROR:
            wait = retry_after(answer.headers)
            raise TransientProviderError(provider=PROVIDER, reason=f"{path}: {status}", retry_after=wait)
        if status >= BAD_REQUEST:
            reason = f"{path}: {status}; the key needs the scopes suppression.read and asm.groups.read"
            raise PermanentProviderError(provider=PROVIDER, reason=reason)
        try:
            return msgspec.json.decode(answer.content, type=list[_Entry])
        except msgspec.DecodeError as error:
            raise TransientProviderError(
                provider=PROVIDER, reason=f"{path}: an answer that is no list of addresses"
            ) from error


def _typed(entries: Sequence[_Entry]) -> list[ListedAddress]:
    return [
        ListedAddress(
            email=each.email.strip().lower(),
            listed_at=wall(dt.datetime.fromtimestamp(each.created or each.created_at, dt.UTC)),
            reason=each.reason,
            group=each.group_name,
        )
        for each in entries
    ]
