"""What `everstay effects` does: the ledger in a terminal, and a person's word on what nobody knows."""

import getpass
import json
from collections.abc import Sequence
from typing import Any

from domain.vocabulary import EffectState
from models.clock import open_clock
from models.database import Database
from models.effect_answers import answer_effect
from models.hands import Hand
from models.resources.effects import EffectFilter, list_effects, load_effect, unknown_effects
from settings import Settings

Document = dict[str, Any]


async def list_now(
    settings: Settings, states: Sequence[EffectState], kind: str | None, search: str | None, limit: int
) -> list[Document]:
    """Return effects as JSON has them; without a filter those of which nobody knows come first."""
    database = Database(settings.database_url or "", pool_size=1)
    try:
        clock = await open_clock(database)
        async with database.transaction() as session:
            wanted = EffectFilter(states, kind, search=search)
            is_all = wanted == EffectFilter(states=states) and not states
            first = await unknown_effects(session, clock.wall_now()) if is_all else []
            rest = (await list_effects(session, wanted, None, limit)).rows
    finally:
        await database.close()
    known = {row["key"] for row in first}
    rows = [*first, *(row for row in rest if row["key"] not in known)]
    return [_plain(row) for row in rows[:limit]]


async def settle_now(settings: Settings, name: str, by: str, *, happened: bool) -> Document:
    """Settle one by its key or delivery id, and return it."""
    database = Database(settings.database_url or "", pool_size=1)
    try:
        clock = await open_clock(database)
        hand = Hand(by or getpass.getuser(), None, clock.now(), clock.wall_now())
        async with database.transaction() as session:
            effect = await load_effect(session, name)
            await answer_effect(session, effect["key"], hand, happened=happened)
            return _plain(await load_effect(session, name))
    finally:
        await database.close()


HIDDEN = frozenset({"customer", "csm_id", "sales_owner_id", "for_user"})


def _plain(row: Document) -> Document:
    shown = {name: value for name, value in row.items() if not name.startswith("_") and name not in HIDDEN}
    plain: Document = json.loads(json.dumps(shown, default=str))
    return plain


def as_lines(found: Sequence[Document]) -> str:
    """Return effects for people, one a line."""
    if not found:
        return "Nothing in the ledger fits."
    return "\n".join(_line(one) for one in found)


def _line(one: Document) -> str:
    error = f": {one['error']}" if one["error"] else ""
    return f"{one['state']:<9}  {one['claimed_at'][:19]}  {one['kind']}  {one['key']}{error}"
