"""Sends letters through the ledger, with and without faults, beside the same letters without a ledger."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.posting import Posting
from domain.ports import DeliveryReceipt, EmailMessage, EmailSender, LastCheck, always
from domain.time import BusinessInstant
from domain.vocabulary import ContactRole, Purpose
from models.case_letters import CaseLetter, CasePost
from models.case_steps import CaseVisit
from models.cases import StoredCase
from models.database import Session
from workers.registry import Parts

AT_ONCE = 16
"""As many as the sender has threads."""
STEP = "letter"
MOST_ATTEMPTS, LONGEST_PAUSE = 60, 5.0
LETTER = CaseLetter("stay-in-touch", Purpose.TRANSACTIONAL, (ContactRole.BILLING,))


@dataclass(frozen=True)
class Spent:
    """How long so many took."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Return the rate."""
        return round(self.count / self.seconds, 1)


class RememberingSender:
    """The real sender, and what was handed to it."""

    def __init__(self, sender: EmailSender) -> None:
        self._sender = sender
        self.name, self.has_look_up = sender.name, sender.has_look_up
        self.settle_seconds, self.call_seconds = sender.settle_seconds, sender.call_seconds
        self.handed: list[EmailMessage] = []

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        """Hand it on."""
        self.handed.append(message)
        return await self._sender.send(message, last_check)

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        """Ask the provider."""
        return await self._sender.look_up(delivery_id)


async def send_letters(parts: Parts, cases: Sequence[uuid.UUID], at_once: int = AT_ONCE) -> Spent:
    """Send a letter of each case, repeating an attempt when its own error says so."""
    posting = Posting(parts.database, parts.clock, parts.sender, parts.letterhead)

    def sending(case: uuid.UUID) -> Callable[[], Awaitable[object]]:
        return partial(posting.deliver, CasePost(CaseVisit(case, STEP), _letter))

    return await timed([partial(until_done, sending(case)) for case in cases], at_once)


async def send_bare(sender: EmailSender, messages: Sequence[EmailMessage]) -> Spent:
    """Hand the same messages over by the same adapter and nothing else, under delivery ids of their own."""
    again = [replace(one, delivery_id=uuid.uuid4().hex) for one in messages]
    return await timed([partial(sender.send, one) for one in again])


async def until_done(act: Callable[[], Awaitable[object]]) -> None:
    """Do what an activity does, and again as its own errors say, as Temporal would."""
    for attempt in range(1, MOST_ATTEMPTS):
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        try:
            await environment.run(act)
        except ApplicationError as error:
            pause = error.next_retry_delay.total_seconds() if error.next_retry_delay else 1.0
            await asyncio.sleep(min(pause, LONGEST_PAUSE))
        else:
            return


async def _letter(
    _session: Session, _case: StoredCase, _visit: CaseVisit, _now: BusinessInstant
) -> CaseLetter:
    return LETTER


async def timed(jobs: Sequence[Callable[[], Awaitable[object]]], at_once: int = AT_ONCE) -> Spent:
    """Do all of these, so many at once."""
    slots, began = asyncio.Semaphore(at_once), time.perf_counter()

    async def run(job: Callable[[], Awaitable[object]]) -> None:
        async with slots:
            await job()

    await asyncio.gather(*(run(job) for job in jobs))
    return Spent(len(jobs), time.perf_counter() - began)
