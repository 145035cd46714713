"""What `everstay signals` does."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Any

from domain.errors import InvalidInputError
from domain.ports import Clock
from domain.scoring_policy import SignalPolicy, Thresholds
from domain.vocabulary import Segment
from models.clock import open_clock
from models.database import Database
from models.own_signals import get_own_signal, list_own_signals, load_own_signals, save_own_signal
from models.scores import load_policy
from models.signal_catalogue import CatalogueLine, count_open, load_catalogue, load_line, tune_signal, tuned
from models.signal_lift import read_lift
from models.signal_replay import Fired, preview
from settings import Settings
from workers.signal_upkeep import train

OWN = "own:"
LEVELS = ("open", "close", "severe")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Database, Clock]]:
    database = Database(settings.database_url or "", pool_size=2)
    try:
        yield database, await open_clock(database)
    finally:
        await database.close()


async def list_signals(settings: Settings) -> dict[str, Any]:
    """Return every detector and every signal of the tenant's own."""
    async with _opened(settings) as (database, _clock), database.transaction() as session:
        counts, measured = await count_open(session), await read_lift(session)
        lines, own = await load_catalogue(session, counts), await list_own_signals(session)
    found = []
    for line in lines:
        lift = measured.of(line.spec.kind.value) if measured else None
        found.append(_line(line) | {"lift": lift.lift if lift else None})
    declared = [
        document.model_dump(mode="json") | {"open": counts.get(f"{OWN}{document.key}", 0)}
        for document, _read in own
    ]
    return {"detectors": found, "own": declared}


def _line(line: CatalogueLine) -> dict[str, Any]:
    return {
        "kind": line.spec.kind.value,
        "looks_at": line.spec.measures,
        "unit": line.spec.unit,
        "rests_on": list(line.spec.needs),
        "enabled": line.enabled,
        "is_tuned": line.is_tuned,
        "missing": list(line.missing),
        "thresholds": {segment.value: line.thresholds[segment].model_dump() for segment in Segment},
        "open": line.open,
    }


def shown_list(document: dict[str, Any]) -> str:
    """Return the same for people, a line each."""
    rows = [_row(one["kind"], one, ", ".join(one["missing"])) for one in document["detectors"]]
    rows += [_row(f"{OWN}{one['key']}", one, "") for one in document["own"]]
    return "\n".join(rows)


def _row(name: str, one: dict[str, Any], missing: str) -> str:
    state = "off" if not one["enabled"] else f"abstains: no {missing}" if missing else "on"
    return f"{name:<24} {one['open']:>6} open   {state}{', tuned' if one.get('is_tuned') else ''}"


async def preview_signal(settings: Settings, name: str, thresholds: Sequence[str]) -> dict[str, Any]:
    """Play the last 90 days back, with other thresholds if given."""
    async with _opened(settings) as (database, clock), database.transaction() as session:
        policy, own = await load_policy(session), await load_own_signals(session)
        if name.startswith(OWN):
            await get_own_signal(session, name.removeprefix(OWN))
            own = tuple(replace(one, enabled=True) for one in own if one.dedupe_key == name)
        else:
            line = await load_line(session, name)
            limits = {segment: line.thresholds[segment] for segment in Segment}
            change = SignalPolicy(thresholds=changed(limits, thresholds))
            policy = tuned(policy, line.spec.kind, change)
        seen = await preview(session, policy, own, clock.now())
    fired = seen.fired.get(name, Fired())
    return {
        "signal": name,
        **asdict(fired),
        "sampled": seen.sampled,
        "of": seen.of,
        "snapshots": seen.snapshots,
        "since": seen.since.isoformat(),
    }


def changed(limits: dict[Segment, Thresholds], wanted: Sequence[str]) -> dict[Segment, Thresholds]:
    """Return thresholds with `small.open=0.6` and the like put in; raises InvalidInputError."""
    found = dict(limits)
    for one in wanted:
        place, _equals, value = one.partition("=")
        segment, _dot, level = place.partition(".")
        try:
            if level not in LEVELS:
                raise ValueError  # noqa: TRY301 - told below, with the fix
            found[Segment(segment)] = found[Segment(segment)].model_copy(update={level: float(value)})
        except ValueError:
            segments = ", ".join(Segment)
            reason = f"{one!r} is not SEGMENT.LEVEL=NUMBER, with a segment of {segments}"
            raise InvalidInputError(
                field="--threshold", reason=f"{reason} and a level of {', '.join(LEVELS)}"
            ) from None
    return found


def shown_preview(document: dict[str, Any]) -> str:
    """Return the same as a sentence."""
    return (
        f"{document['signal']} would have opened {document['times']} times at {document['customers']} "
        f"customers since {document['since']} ({document['already_open']} showed it before), played back on "
        f"{document['sampled']} of {document['of']} customers at {document['snapshots']} weekly looks."
    )


async def switch_signal(settings: Settings, name: str, *, on: bool) -> dict[str, Any]:
    """Look for a signal from now on, or no more."""
    async with _opened(settings) as (database, clock), database.transaction() as session:
        if name.startswith(OWN):
            document = await get_own_signal(session, name.removeprefix(OWN))
            switched = document.model_copy(update={"enabled": on})
            await save_own_signal(session, switched, None, clock.now())
        else:
            line = await load_line(session, name)
            change = SignalPolicy(enabled=on, thresholds=dict(line.thresholds))
            await tune_signal(session, line.spec.kind, change, None, clock.now())
    return {"signal": name, "enabled": on}


def shown_switch(document: dict[str, Any]) -> str:
    """Return the same as a sentence."""
    if document["enabled"]:
        return f"{document['signal']} is looked for from the next look at each customer on."
    return f"{document['signal']} is off; what it has open ends with the next look at each customer."


async def train_now(settings: Settings) -> dict[str, Any]:
    """Train a model of ticket tone now."""
    async with _opened(settings) as (database, clock):
        return await train(database, clock)


def shown_sentiment(document: dict[str, Any]) -> str:
    """Return the same as a sentence."""
    if "auc" not in document:
        return f"{document['labels']} rated tickets with words; a model needs {document['needed']} of both."
    verdict = "it is used from now on" if document["is_used"] else "the word list stays"
    return (
        f"AUC {document['auc']:.3f} against {document['vader_auc']:.3f} of the word list on "
        f"{document['tested']} later tickets: {verdict}."
    )
