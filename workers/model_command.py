"""What `everstay model` does: look at trained models, and decide about them by hand."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from activities.model_decisions import promote_by_hand, review_by_hand, roll_back_by_hand
from domain.trained_model import ModelTarget
from models.clock import StoredClock, open_clock
from models.database import Database
from models.model_registry import list_models, show_model
from settings import Settings


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Database, StoredClock]]:
    database = Database(settings.database_url or "", pool_size=1)
    try:
        yield database, await open_clock(database)
    finally:
        await database.close()


async def list_all(settings: Settings) -> dict[str, Any]:
    """Return every model, the newest first."""
    async with _opened(settings) as (database, _clock), database.transaction() as session:
        return {"models": await list_models(session)}


async def show_one(settings: Settings, name: str) -> dict[str, Any]:
    """Return one model with its card."""
    async with _opened(settings) as (database, _clock), database.transaction() as session:
        return await show_model(session, name)


async def promote_one(settings: Settings, name: str, why: str, by: str) -> dict[str, Any]:
    """Make a model the champion."""
    async with _opened(settings) as (database, clock), database.transaction() as session:
        before = await promote_by_hand(session, name, _name(by), why, clock.now())
    return {"champion": name, "before": before}


async def roll_back_one(settings: Settings, target: ModelTarget, why: str, by: str) -> dict[str, Any]:
    """Bring back the champion before."""
    async with _opened(settings) as (database, clock), database.transaction() as session:
        back = await roll_back_by_hand(session, target, _name(by), why, clock.now())
    return {"champion": back, "target": target.value}


async def review_one(settings: Settings, name: str, why: str, by: str, *, sound: bool) -> dict[str, Any]:
    """Say what a look at a model that seems too good has found."""
    async with _opened(settings) as (database, clock), database.transaction() as session:
        state = await review_by_hand(session, name, _name(by), why, clock.now(), is_sound=sound)
    return {"model": name, "state": state.value}


def _name(by: str) -> str:
    return by.strip() or getpass.getuser()


def shown_list(document: dict[str, Any]) -> str:
    """Return all models for people, a line each."""
    lines = [
        f"{one['name']:<28} {one['state'].value:<10} {one['form']:<6} {one['churners']} churners, "
        f"data until {one['trained_until'].isoformat()}: {one['decisions'][-1]['why']}"
        for one in document["models"]
    ]
    return "\n".join(lines) or "No model has been trained; the scorecard speaks alone."


def shown_model(document: dict[str, Any]) -> str:
    """Return one model for people: what it is, and what was decided about it."""
    head = (
        f"{document['name']}: {document['state'].value}, {document['form']}, {document['churners']} churners"
    )
    decided = [
        f"  {one['at'][:16]}  {one['state']:<10} {one['by']}: {one['why']}" for one in document["decisions"]
    ]
    return "\n".join([head, *decided])


def shown_decision(document: dict[str, Any]) -> str:
    """Return what is in use after a decision."""
    if "model" in document:
        return f"{document['model']} is {document['state']}."
    if document["champion"] is None and document["target"] != ModelTarget.CHURN:
        return f"No model speaks of {document['target']} any more."
    return f"The champion is {document['champion'] or 'nobody: the scorecard speaks alone'}."
