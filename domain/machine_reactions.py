"""Opens and clicks that programs make: scanners of mail follow every link before a person sees the message.

Nothing here is certain, so it errs to one side: what may be a program is no word of a person.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.delivery_events import DeliveryEventKind
from domain.time import BusinessInstant
from domain.vocabulary import TouchpointState

SOON = dt.timedelta(seconds=10)
"""Sooner after the delivery no person has read anything."""
BURST = dt.timedelta(seconds=10)
BURST_LINKS = 3
"""So many different links of one message in so short a time are followed by a program."""
SCANNER_AGENTS = (
    "barracuda",
    "bot",
    "crawler",
    "curl/",
    "go-http-client",
    "headless",
    "mimecast",
    "phantomjs",
    "preview",
    "proofpoint",
    "python-requests",
    "safelinks",
    "scanner",
    "spider",
    "symantec",
    "trendmicro",
    "urldefense",
    "wget/",
)
"""Parts of names under which scanners and scripts ask, in lower case."""


@dataclass(frozen=True)
class Reaction:
    """One event of a message, at the instant at which the provider saw it."""

    event_id: str
    kind: DeliveryEventKind
    at: BusinessInstant
    url: str = ""
    is_machine: bool = False
    """The provider or the user agent says so."""


def is_scanner(user_agent: str) -> bool:
    """Whether a user agent is that of a scanner or a script; an empty one says nothing."""
    lowered = user_agent.lower()
    return any(word in lowered for word in SCANNER_AGENTS)


def by_programs(reactions: Sequence[Reaction], *, knows_time: bool = True) -> frozenset[str]:
    """Return the ids of the opens and clicks that count as a program's.

    Where business time runs faster than the wall's, seconds mean nothing: `knows_time` is False.
    """
    told = {each.event_id for each in _made(reactions) if each.is_machine}
    return frozenset(told | _at_once(reactions) | _in_a_burst(reactions)) if knows_time else frozenset(told)


def reached(reactions: Iterable[Reaction], programs: frozenset[str]) -> TouchpointState | None:
    """Return how far the person went with the message, None where nothing shows that they saw it."""
    kinds = {each.kind for each in reactions if each.event_id not in programs}
    if DeliveryEventKind.CLICKED in kinds:
        return TouchpointState.CLICKED
    return TouchpointState.OPENED if DeliveryEventKind.OPENED in kinds else None


def _made(reactions: Iterable[Reaction]) -> list[Reaction]:
    kinds = {DeliveryEventKind.OPENED, DeliveryEventKind.CLICKED}
    return [each for each in reactions if each.kind in kinds]


def _at_once(reactions: Sequence[Reaction]) -> set[str]:
    """Return what came before, or right after, the message was delivered."""
    delivered = [each.at for each in reactions if each.kind is DeliveryEventKind.DELIVERED]
    if not delivered:
        return set()
    return {each.event_id for each in _made(reactions) if each.at < min(delivered) + SOON}


def _in_a_burst(reactions: Sequence[Reaction]) -> set[str]:
    """Return the clicks on many links at once."""
    clicks = [each for each in reactions if each.kind is DeliveryEventKind.CLICKED]
    found: set[str] = set()
    for first in clicks:
        together = [each for each in clicks if first.at <= each.at <= first.at + BURST]
        if len({each.url for each in together}) >= BURST_LINKS:
            found |= {each.event_id for each in together}
    return found
