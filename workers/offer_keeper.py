"""Looks after offers of runs: whether they were used, are over, or have to be taken back."""

import asyncio
import datetime as dt
from typing import Any

import structlog

from activities.billing_accounts import BillingAccounts
from activities.offer_keeping import OfferKeeper
from domain.ports import Clock
from domain.time import BusinessInstant
from integrations.billing import open_billing
from models.ciphers import Cipher
from models.database import Database

EVERY = dt.timedelta(hours=1)
"""Business time between two looks."""
LEAST_SECONDS = 15.0
"""And so long at least, however compressed the time."""
log: Any = structlog.get_logger("offers")


async def keep_offers(database: Database, clock: Clock, cipher: Cipher) -> None:
    """Look every business hour, until cancelled."""
    keeper = OfferKeeper(database, clock, BillingAccounts(database, clock, cipher, open_billing).open)
    while True:
        due = BusinessInstant(clock.now() + EVERY)
        missed = await keeper.look()
        if missed:
            log.info("offers could not be looked at now", offers=len(missed))
        wait = (clock.wall_at(due) - clock.wall_now()).total_seconds()
        await asyncio.sleep(max(LEAST_SECONDS, wait))
