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
from domain.ports import EmailMessage
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


async def send_letters(parts: Parts, cases: Sequence[uuid.UUID]) -> Spent:
    """Send a letter of each case, repeating an attempt when its own error says so."""
    posting = Posting(parts.database, parts.clock, parts.sender, parts.letterhead)
    return await _timed([partial(_send, posting, case) for case in cases])


async def send_bare(parts: Parts, messages: Sequence[EmailMessage]) -> Spent:
    """Hand the same messages over by the same adapter and nothing else."""
    return await _timed([partial(parts.sender.send, one) for one in messages])


async def _send(posting: Posting, case_id: uuid.UUID) -> str:
    post = CasePost(CaseVisit(case_id, STEP), _letter)
    for attempt in range(1, MOST_ATTEMPTS):
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        try:
            done = await environment.run(posting.deliver, post)
        except ApplicationError as error:
            pause = error.next_retry_delay.total_seconds() if error.next_retry_delay else 1.0
            await asyncio.sleep(min(pause, LONGEST_PAUSE))
            continue
        return str(done.state)
    return "given up"


async def _letter(
    _session: Session, _case: StoredCase, _visit: CaseVisit, _now: BusinessInstant
) -> CaseLetter:
    return LETTER


async def _timed(jobs: Sequence[Callable[[], Awaitable[object]]]) -> Spent:
    slots, began = asyncio.Semaphore(AT_ONCE), time.perf_counter()

    async def run(job: Callable[[], Awaitable[object]]) -> None:
        async with slots:
            await job()

    await asyncio.gather(*(run(job) for job in jobs))
    return Spent(len(jobs), time.perf_counter() - began)
