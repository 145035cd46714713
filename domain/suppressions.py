"""Lists on which a mail provider keeps addresses that it will not, or should not, deliver to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.time import WallInstant


class SuppressionList(StrEnum):
    """Why a provider holds an address back."""

    BOUNCES = "bounces"
    BLOCKS = "blocks"
    SPAM_REPORTS = "spam_reports"
    INVALID_EMAILS = "invalid_emails"
    UNSUBSCRIBES = "unsubscribes"
    GROUP_UNSUBSCRIBES = "group_unsubscribes"


@dataclass(frozen=True)
class ListRule:
    """What being on a list means here: no mail at all to the address, or nothing optional to the person."""

    suppresses: bool = False
    ends_consent: bool = False
    words: str = ""


LIST_RULES: Mapping[SuppressionList, ListRule] = {
    SuppressionList.BOUNCES: ListRule(suppresses=True, words="the address does not exist"),
    # The other side refused one message: the address is as good as before, as with a block's event.
    SuppressionList.BLOCKS: ListRule(words="one message was refused; the address stays good"),
    SuppressionList.SPAM_REPORTS: ListRule(suppresses=True, ends_consent=True, words="reported as spam"),
    SuppressionList.INVALID_EMAILS: ListRule(suppresses=True, words="no valid address"),
    SuppressionList.UNSUBSCRIBES: ListRule(ends_consent=True, words="unsubscribed from everything"),
    SuppressionList.GROUP_UNSUBSCRIBES: ListRule(ends_consent=True, words="unsubscribed from a group"),
}
"""The same as the webhook's events ask, which an import only makes up for."""


@dataclass(frozen=True)
class ListedAddress:
    """One entry of a list. `group` names the unsubscribe group, and is empty elsewhere."""

    email: str
    listed_at: WallInstant
    reason: str = ""
    group: str = ""


class SuppressionReader(Protocol):
    """Reads a provider's lists. Raises TransientProviderError or PermanentProviderError."""

    name: str

    def pages(
        self, which: SuppressionList, since: WallInstant | None
    ) -> AsyncIterator[Sequence[ListedAddress]]:
        """Yield what was listed at `since` or later, None for everything, in any order."""
        ...
