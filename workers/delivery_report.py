"""Deliveries for the command line: as JSON, as a table, and chosen for another reading."""

import json
from collections.abc import Sequence
from typing import Any

from models.clock import wall_now
from models.database import Session
from models.deliveries import replay_delivery, replay_failed, replay_unclean
from models.resources.deliveries import find_delivery, load_body, load_delivery

Row = dict[str, Any]
HIDDEN = frozenset({"_by", "_tie"})
SHOWN = ("received_at", "source_id", "topic", "state", "stored", "duplicates", "quarantined", "id")


def as_rows(rows: Sequence[Row]) -> list[Row]:
    """Return rows as JSON takes them."""
    kept = [{name: value for name, value in row.items() if name not in HIDDEN} for row in rows]
    plain: list[Row] = json.loads(json.dumps(kept, default=str))
    return plain


def as_table(rows: Sequence[Row]) -> str:
    """Return one line per delivery."""
    if not rows:
        return "No deliveries."
    lines = [[str(row[name] if row[name] is not None else "") for name in SHOWN] for row in as_rows(rows)]
    table = [list(SHOWN), *([line[0][:19], *line[1:-1], line[-1][:8]] for line in lines)]
    widths = [max(len(line[place]) for line in table) for place in range(len(SHOWN))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table
    )


async def load_whole(session: Session, beginning: str) -> Row:
    """Return one delivery with its body."""
    found = await find_delivery(session, beginning)
    return {**await load_delivery(session, found), "body": await load_body(session, found)}


async def replay_chosen(
    session: Session, beginnings: Sequence[str], source_id: str | None, *, failed: bool, unclean: bool
) -> int:
    """Have deliveries read again: those named, and those that failed or were not stored whole."""
    for beginning in beginnings:
        await replay_delivery(session, await find_delivery(session, beginning), wall_now())
    count = len(beginnings)
    if unclean:
        count += await replay_unclean(session, wall_now(), source_id)
    elif failed:
        count += await replay_failed(session, wall_now(), source_id)
    return count
