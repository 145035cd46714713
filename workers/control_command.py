"""What `everstay pause`, `resume` and `monitor` do."""

import datetime as dt
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from domain.errors import InvalidInputError
from domain.monitoring import Finding, Trouble, late_since
from domain.time import after
from domain.vocabulary import PauseScope
from models.changes import announce_change
from models.clock import StoredClock, open_clock
from models.database import Database, Session
from models.hands import Hand
from models.monitor import load_monitor
from models.resting import Rest, end_rest, find_rest, order_rest, rests_now
from settings import Settings


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Session, StoredClock]]:
    database = Database(settings.database_url or "", pool_size=1)
    try:
        clock = await open_clock(database)
        async with database.transaction() as session:
            yield session, clock
    finally:
        await database.close()


async def pause_now(
    settings: Settings, what: str, reason: str, days: float | None, by: str
) -> dict[str, Any]:
    """Order a rest and return what rests then."""
    scope, key = scope_of(what)
    async with _opened(settings) as (session, clock):
        until = after(clock.now(), dt.timedelta(days=days)) if days is not None else None
        await order_rest(session, scope, key, until, reason, _hand(by, clock))
        await announce_change(session)
        return _rests(await rests_now(session, clock.now()))


async def resume_now(settings: Settings, what: str, by: str) -> dict[str, Any]:
    """End a rest and return what still rests."""
    scope, key = scope_of(what)
    async with _opened(settings) as (session, clock):
        rest = await find_rest(session, scope, key, clock.now())
        await end_rest(session, rest.id, _hand(by, clock))
        await announce_change(session)
        return _rests(await rests_now(session, clock.now()))


async def watch(settings: Settings) -> dict[str, Any]:
    """Return what the monitor sees."""
    async with _opened(settings) as (session, clock):
        found = await load_monitor(session, late_since(clock.now(), clock.rate), clock.wall_now())
    look = found.look
    return {
        "counts": {trouble.value: len(found.of(trouble)) for trouble in Trouble},
        "findings": [_finding(one) for one in found.findings],
        "look": {"at": look.at.isoformat(), "looked_at": look.looked_at, "problem": look.problem}
        if look is not None
        else None,
    }


def scope_of(what: str) -> tuple[PauseScope, str]:
    """Read `playbook/dunning` and the like; raises InvalidInputError."""
    scope, _, key = what.partition("/")
    try:
        return PauseScope(scope), key
    except ValueError:
        kinds = "everything, or segment/…, playbook/…, customer/… or run/…"
        raise InvalidInputError(field=what, reason=f"name what rests: {kinds}") from None


def shown_rests(document: dict[str, Any]) -> str:
    """Return what rests for people, a line each."""
    lines = [
        f"{one['what']}  {one['name']}, until {one['until'] or 'a person ends it'}: {one['reason']}"
        for one in document["rests"]
    ]
    return "\n".join(lines) or "Nothing rests."


def shown_monitor(document: dict[str, Any]) -> str:
    """Return the same for people."""
    lines = [f"{one['key']}  {one['customer']}: {one['sentence']}" for one in document["findings"]]
    look = document["look"]
    if look is None or look["problem"]:
        told = look["problem"] if look else "not asked yet"
        lines.append(f"Temporal: {told}; workflows are as known before.")
    return "\n".join(lines) or "All goes on by itself."


def _hand(by: str, clock: StoredClock) -> Hand:
    return Hand(by.strip() or getpass.getuser(), None, clock.now(), clock.wall_now())


def _rests(rests: list[Rest]) -> dict[str, Any]:
    return {
        "rests": [
            {
                "id": str(one.id),
                "what": f"{one.scope.value}/{one.key}".rstrip("/"),
                "name": one.name,
                "reason": one.reason,
                "since": one.since.isoformat(),
                "until": one.until.isoformat() if one.until else None,
            }
            for one in rests
        ]
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "key": one.key,
        "trouble": one.trouble.value,
        "customer_id": str(one.customer_id),
        "customer": one.customer,
        "run_id": str(one.run_id) if one.run_id else None,
        "sentence": one.sentence,
        "since": one.since.isoformat(),
        "repairs": [repair.value for repair in one.repairs],
    }
