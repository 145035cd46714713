"""The rows of one training: snapshots kept date by date, and labels put to them once all are there."""

import datetime as dt
import hashlib
import io
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from activities.training_data import World, open_world, snapshots
from domain.features import CustomerFeatures
from domain.labels import GRACE, Cause, Relation, expansion_label
from domain.model_features import vector
from domain.risk import RiskModel
from domain.time import BusinessInstant, after, start_of_day
from domain.trained_model import ModelTarget
from domain.vocabulary import Segment
from ml.samples import NEVER, Samples, date_of, days_of, joined
from ml.training import Rows
from models.database import Database

MOST_CUSTOMERS = 20_000
"""Customers that one training looks at: more teach it little more, and cost hours."""
DAY = dt.timedelta(days=1)
SEGMENTS = tuple(Segment)


@dataclass(frozen=True)
class Part:
    """The snapshots of one date, without what became of them."""

    columns: tuple[str, ...]
    arrays: Mapping[str, "np.ndarray[tuple[int, ...], np.dtype[np.generic]]"]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.arrays["as_of"])


async def open_sampled_world(database: Database, known_until: BusinessInstant) -> World:
    """Return the world of a training: of a large portfolio a part, always the same, by a hash of the id."""
    world = await open_world(database, known_until, known_until)
    kept = sorted(world.relations, key=_code)[:MOST_CUSTOMERS]
    return replace(
        world, relations={one: world.relations[one] for one in kept}, codes={one: _code(one) for one in kept}
    )


def _code(customer_id: uuid.UUID) -> int:
    """Return a number for a customer that stays the same whoever else comes or goes."""
    return int.from_bytes(hashlib.blake2b(customer_id.bytes, digest_size=8).digest()) >> 1


async def look_at(database: Database, world: World, card: RiskModel, date: dt.date) -> Part:
    """Look at everybody who was live on a date, as known then, with what the scorecard said."""
    parts = [_part(world, card, rows) async for rows in snapshots(database, world, date) if rows]
    if not parts:
        return _part(world, card, [])
    names = parts[0].arrays
    return Part(
        parts[0].columns, {name: np.concatenate([one.arrays[name] for one in parts]) for name in names}
    )


def _part(world: World, card: RiskModel, rows: Sequence[CustomerFeatures]) -> Part:
    matrix = [vector(one, world.columns) for one in rows]
    ids = b"".join(one.customer_id.bytes for one in rows)
    return Part(
        tuple(column.name for column in world.columns),
        {
            "matrix": np.array(matrix, dtype=np.float32).reshape(len(rows), len(world.columns)),
            "ids": np.frombuffer(ids, dtype=np.uint8).reshape(len(rows), 16),
            "as_of": np.array([days_of(one.as_of.date()) for one in rows], dtype=np.int64),
            "value": np.array([12 * one.commercial.mrr for one in rows], dtype=np.float64),
            "scorecard": np.array([one.churn_probability for one in card.assess_all(rows)], dtype=np.float64),
            "segment": np.array([SEGMENTS.index(one.segment) for one in rows], dtype=np.int64),
        },
    )


def packed(part: Part) -> bytes:
    """Return a part as bytes: plain arrays, no pickle."""
    names = np.frombuffer("\n".join(part.columns).encode(), dtype=np.uint8)
    stream = io.BytesIO()
    np.savez_compressed(stream, columns=names, **dict(part.arrays))  # type: ignore[arg-type]  # its stub takes every name for its flag
    return stream.getvalue()


def unpacked(content: bytes) -> Part:
    """Return a part that was kept."""
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    names = arrays.pop("columns").tobytes().decode()
    return Part(tuple(names.split("\n")), arrays)


def labelled(world: World, target: ModelTarget, part: Part) -> Rows:
    """Put to each row what became of the customer."""
    ids = [uuid.UUID(bytes=one.tobytes()) for one in part.arrays["ids"]]
    dates = part.arrays["as_of"].tolist()
    known = [place for place, one in enumerate(ids) if one in world.relations]
    told = [
        label(world.relations[ids[place]], target, start_of_day(date_of(dates[place])), world.known_until)
        for place in known
    ]
    samples = Samples(
        columns=part.columns,
        matrix=part.arrays["matrix"][known].astype(np.float32),
        customers=np.array([world.codes[ids[place]] for place in known], dtype=np.int64),
        as_of=part.arrays["as_of"][known].astype(np.int64),
        event_days=np.array([event for event, _ in told], dtype=np.float64),
        observed_days=np.array([observed for _, observed in told], dtype=np.float64),
        value=part.arrays["value"][known].astype(np.float64),
    )
    segments = tuple(SEGMENTS[int(part.arrays["segment"][place])].value for place in known)
    return Rows(samples, part.arrays["scorecard"][known].astype(np.float64), segments)


def label(
    relation: Relation, target: ModelTarget, as_of: BusinessInstant, known_until: BusinessInstant
) -> tuple[float, float]:
    """Return days to the event (inf: none) and days over which we know what happened.

    Who leaves for the other cause is known up to that day and not beyond: the row is dropped where its
    horizon reaches further, as a censored one in survival analysis, and never counted as having stayed.
    """
    if target is ModelTarget.EXPANSION:
        found = expansion_label(relation, as_of, target.horizon_days, known_until)
        days = float(target.horizon_days)
        return (NEVER, 0.0) if found.value is None else (days if found.value else NEVER, days)
    settled = after(known_until, -GRACE)
    gone = relation.left_within(as_of, settled)
    if gone is None:
        return NEVER, (settled - as_of) / DAY
    days = (gone.since - as_of) / DAY
    mine = Cause.INVOLUNTARY if target is ModelTarget.INVOLUNTARY else Cause.VOLUNTARY
    return (days, (settled - as_of) / DAY) if gone.cause is mine else (NEVER, days)


def put_together(parts: Sequence[Rows]) -> Rows:
    """Put the rows of all dates one after the other."""
    return Rows(
        joined([one.samples for one in parts]),
        np.concatenate([one.scorecard for one in parts]),
        tuple(segment for one in parts for segment in one.segments),
    )
