"""The loops that run in the relay's process beside it: append yours, and it is kept alive."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from domain.ports import EmailAddress
from integrations.jinja_renderer import JinjaMessageRenderer
from integrations.senders import email_sender
from models.ciphers import Cipher
from models.clock import StoredClock
from models.database import Database
from settings import Settings
from workers.calendar_feeds import keep_fetching
from workers.delivery_stage import run_delivery_stage
from workers.edit_keeper import keep_edits
from workers.event_stage import keep_forgetting, keep_posting
from workers.heads_up_mail import keep_mailing
from workers.impact_keeper import keep_learning
from workers.internal_letters import InternalLetterhead
from workers.library import INTERNAL
from workers.offer_keeper import keep_offers
from workers.partition_keeper import keep_days
from workers.prompt_upkeep import keep_closing
from workers.rescorer import keep_scoring
from workers.signal_upkeep import keep_watching
from workers.suppression_keeper import keep_importing
from workers.tracking_stage import keep_attributing
from workers.usage_upkeep import keep_matching, keep_windows

BACK_OFF_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0)
Loop = Callable[[], Coroutine[Any, Any, None]]
log: Any = structlog.get_logger("beside")


def loops(settings: Settings, database: Database, clock: StoredClock) -> list[Coroutine[Any, Any, None]]:
    """Return every loop, supervised. Add a name and a function without arguments that runs for ever."""
    jobs: dict[str, Loop] = {
        "deliveries": lambda: run_delivery_stage(settings, database, clock),
        "calendars": lambda: keep_fetching(database, clock, Cipher(settings.signing_key)),
        "tracking": lambda: keep_attributing(database, clock),
        "rescoring": lambda: keep_scoring(database, clock, settings.rescore_gap_seconds),
        "windows": lambda: keep_windows(database, clock),
        "signals": lambda: keep_watching(database, clock),
        "edits": lambda: keep_edits(database, clock),
        "partitions": lambda: keep_days(database, clock, settings),
        "heads_up_mail": lambda: keep_mailing(database, clock, email_sender(settings), _letterhead(settings)),
        "prompts": lambda: keep_closing(database, clock),
        "impact": lambda: keep_learning(database, clock),
        "events": lambda: keep_posting(settings, database, clock),
        "old_events": lambda: keep_forgetting(settings, database, clock),
        "suppressions": lambda: keep_importing(database, clock, settings),
        "offers": lambda: keep_offers(database, clock, Cipher(settings.signing_key)),
        "matching": lambda: keep_matching(database, clock),
    }
    return [supervised(name, job) for name, job in jobs.items()]


def _letterhead(settings: Settings) -> InternalLetterhead:
    address = EmailAddress(settings.sender_email, "Everstay")
    return InternalLetterhead(JinjaMessageRenderer(INTERNAL), settings.base_url, address)


async def supervised(name: str, job: Loop) -> None:
    """Run a loop for ever: what it raises is logged, and it starts again after a while that grows."""
    failures = 0
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await job()
        except Exception as error:  # noqa: BLE001 - no loop may take the others down, whatever it meets
            log.warning("a loop failed and starts again", loop=name, reason=str(error)[:500])
        if asyncio.get_running_loop().time() - began > BACK_OFF_SECONDS[-1]:
            failures = 0
        await asyncio.sleep(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)])
        failures += 1
