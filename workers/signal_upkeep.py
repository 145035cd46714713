"""What signals need between two nights: falls are found, silences noted, tickets read, models trained."""

import asyncio
import datetime as dt
import uuid
from typing import Any

import structlog

from domain.ports import Clock
from domain.time import BusinessInstant
from integrations.sentiment import VADER, tone_of
from ml.sentiment import OWN, WordTone, read_model
from models import sentiment, usage_falls
from models.database import Database

EVERY = dt.timedelta(hours=4)
"""Business hours between two sweeps."""
LEAST_SECONDS = 15.0
"""And so long at least, however compressed the time."""
BATCHES = 10
"""Batches of tickets that one sweep reads: the rest of a large import waits for the next."""
TRAIN_EVERY = dt.timedelta(days=7)
LEAST_SECONDS_TO_TRAIN = 900.0
"""Wall time between two trainings at least: each takes some seconds of the process that rings customers."""
log: Any = structlog.get_logger("signals")


async def keep_watching(database: Database, clock: Clock) -> None:
    """Sweep every few business hours, until cancelled."""
    loop, trained_at = asyncio.get_running_loop(), float("-inf")
    while True:
        due = BusinessInstant(clock.now() + EVERY)
        await sweep(database, clock)
        if loop.time() - trained_at >= LEAST_SECONDS_TO_TRAIN and await train_if_due(database, clock):
            trained_at = loop.time()
        wait = (clock.wall_at(due) - clock.wall_now()).total_seconds()
        await asyncio.sleep(max(LEAST_SECONDS, wait))


async def sweep(database: Database, clock: Clock) -> list[uuid.UUID]:
    """Find falls and read tickets once; return the customers that fell and now wait to be scored."""
    fell = await usage_falls.sweep(database, clock)
    read = 0
    for _ in range(BATCHES):
        some = await read_tickets(database, clock)
        read += some
        if not some:
            break
    if fell or read:
        log.info("signals swept", fell=len(fell), tickets_read=read)
    return fell


async def train_if_due(database: Database, clock: Clock) -> bool:
    """Train where the last attempt is a week old; tell whether it was."""
    async with database.transaction() as session:
        is_due = await sentiment.is_due(session, clock.now(), TRAIN_EVERY)
    if is_due:
        await train(database, clock)
    return is_due


async def train(database: Database, clock: Clock) -> dict[str, Any]:
    """Train a model of ticket tone on rated tickets, and use it if it beats the word list; return figures."""
    async with database.transaction() as session:
        labels = await sentiment.load_labels(session, clock.now())
    examples = [(one.text, one.is_happy, tone_of(one.text)) for one in labels]
    document = await asyncio.to_thread(_train, examples)
    async with database.transaction() as session:
        await sentiment.keep_model(session, clock.now(), document)
    return {name: value for name, value in document.items() if name != "model"}


def _train(examples: list[tuple[str, bool, float | None]]) -> dict[str, Any]:
    """Import the library only here: most processes never train."""
    from ml.sentiment_training import train_tone

    return train_tone(examples)


async def read_tickets(database: Database, clock: Clock) -> int:
    """Read the tone of a batch of tickets that came without one; return how many."""
    async with database.transaction() as session:
        kept = await sentiment.load_model(session)
        own = read_model(kept.document["model"]) if kept and kept.document["is_used"] else None
        unread = await sentiment.load_unread(session, VADER if own else None)
    read = await asyncio.to_thread(_read, own, unread)
    async with database.transaction() as session:
        by = OWN if own else VADER
        await sentiment.save_readings(session, read, by, clock.now(), is_learned=own is not None)
    return len(read)


def _read(own: WordTone | None, unread: list[tuple[uuid.UUID, str]]) -> list[tuple[uuid.UUID, float]]:
    if own is not None:
        return [(ticket_id, own.read(text)) for ticket_id, text in unread]
    return [(ticket_id, tone_of(text) or 0.0) for ticket_id, text in unread]
