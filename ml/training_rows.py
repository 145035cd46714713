"""The rows of one training: snapshots kept date by date as bytes, with outcomes once all are there."""

import io
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.learning_port import Gathered, TooLittleError
from domain.learning_rows import Snapshot, World, outcome_of
from domain.time import start_of_day
from domain.trained_model import ModelTarget
from domain.vocabulary import Segment
from ml.samples import Matrix, Samples, date_of, days_of, joined, matrix_of
from ml.training import Rows

SEGMENTS = tuple(Segment)
Arrays = Mapping[str, np.ndarray[tuple[int, ...], np.dtype[Any]]]


@dataclass(frozen=True)
class Part:
    """The snapshots of one date, without what became of them."""

    columns: tuple[str, ...]
    arrays: Arrays


def packed(columns: Sequence[str], snapshots: Sequence[Snapshot]) -> bytes:
    """Return the snapshots of a date as bytes: plain arrays, no pickle."""
    stream = io.BytesIO()
    ids = b"".join(one.customer_id.bytes for one in snapshots)
    np.savez_compressed(
        stream,
        columns=np.frombuffer("\n".join(columns).encode(), dtype=np.uint8),
        matrix=matrix_of([one.values for one in snapshots], len(columns)),
        ids=np.frombuffer(ids, dtype=np.uint8).reshape(len(snapshots), 16),
        as_of=np.array([days_of(one.as_of) for one in snapshots], dtype=np.int64),
        value=np.array([one.yearly for one in snapshots], dtype=np.float64),
        scorecard=np.array([one.by_card for one in snapshots], dtype=np.float64),
        segment=np.array([SEGMENTS.index(one.segment) for one in snapshots], dtype=np.int64),
    )
    return stream.getvalue()


def rows_of(gathered: Gathered, target: ModelTarget) -> Rows:
    """Return everything that a training has gathered, with what became of it."""
    names = tuple(column.name for column in gathered.world.columns)
    found = [_labelled(gathered.world, target, _aligned(_unpacked(one), names)) for one in gathered.dates]
    if not any(len(one.samples) for one in found):
        raise TooLittleError("nobody was a customer on any of the dates")
    return Rows(
        joined([one.samples for one in found]),
        np.concatenate([one.scorecard for one in found]),
        tuple(segment for one in found for segment in one.segments),
    )


def _unpacked(content: bytes) -> Part:
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    names = arrays.pop("columns").tobytes().decode()
    return Part(tuple(names.split("\n")), arrays)


def _aligned(part: Part, columns: tuple[str, ...]) -> Part:
    """Return a part in these columns: what it does not have is unknown."""
    if part.columns == columns:
        return part
    places = {name: place for place, name in enumerate(part.columns)}
    matrix: Matrix = np.full((len(part.arrays["as_of"]), len(columns)), np.nan, dtype=np.float32)
    for place, name in enumerate(columns):
        if name in places:
            matrix[:, place] = part.arrays["matrix"][:, places[name]]
    return Part(columns, {**part.arrays, "matrix": matrix})


def _labelled(world: World, target: ModelTarget, part: Part) -> Rows:
    """Put to each row what became of the customer."""
    ids = [uuid.UUID(bytes=one.tobytes()) for one in part.arrays["ids"]]
    known = [place for place, one in enumerate(ids) if one in world.relations]
    arrays = {name: values[known] for name, values in part.arrays.items()}
    kept, starts = [ids[place] for place in known], [start_of_day(date_of(one)) for one in arrays["as_of"]]
    told = [
        outcome_of(world.relations[one], target, start, world.known_until)
        for one, start in zip(kept, starts, strict=True)
    ]
    samples = Samples(
        columns=part.columns,
        matrix=arrays["matrix"],
        customers=np.array([world.codes[one] for one in kept], dtype=np.int64),
        as_of=arrays["as_of"],
        event_days=np.array([one.event_days for one in told], dtype=np.float64),
        observed_days=np.array([one.observed_days for one in told], dtype=np.float64),
        value=arrays["value"],
    )
    return Rows(samples, arrays["scorecard"], tuple(SEGMENTS[one].value for one in arrays["segment"]))
