"""The registry of trained models: which is in use, which is tried, and who decided that and why."""

import hashlib
from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.time import BusinessInstant
from domain.trained_model import Filed, ModelDecision, ModelState, ModelTarget, NewModel, StoredModel, Twin
from models.tables.trained import ModelRow

IN_USE = (ModelState.CHAMPION, ModelState.SHADOW)
_STORED = (
    ModelRow.name, ModelRow.target, ModelRow.state, ModelRow.form, ModelRow.horizon_days, ModelRow.columns,
    ModelRow.base_rate, ModelRow.calibration, ModelRow.anchors, ModelRow.churners, ModelRow.other_rate,
)  # fmt: skip
_SHOWN = (
    *_STORED, ModelRow.training, ModelRow.data_hash, ModelRow.trained_at, ModelRow.trained_until,
    ModelRow.judged_until, ModelRow.reviewed_at, ModelRow.replaced, ModelRow.decisions,
)  # fmt: skip


async def load_in_use(session: AsyncSession, states: Collection[ModelState] = IN_USE) -> list[StoredModel]:
    """Return the models that score: champions, and those that score in their shadow.

    It is asked before each scoring, of one customer as well; megabytes of trees are fetched once per process.
    """
    query = select(ModelRow.digest, *_STORED).where(ModelRow.state.in_(states))
    rows = (await session.execute(query.order_by(ModelRow.trained_at, ModelRow.name))).all()
    artefacts = await _artefacts(session, [digest for digest, *_ in rows])
    return [_stored((*values, artefacts[digest])) for digest, *values in rows]


_FETCHED: dict[str, bytes] = {}
"""Artefacts by digest; one never changes. Held are those of the models that were in use last."""


async def _artefacts(session: AsyncSession, digests: Collection[str]) -> dict[str, bytes]:
    missing = [one for one in digests if one not in _FETCHED]
    if missing:
        query = select(ModelRow.digest, ModelRow.artefact).where(ModelRow.digest.in_(missing))
        known = {one: _FETCHED[one] for one in digests if one in _FETCHED}
        known |= {row.digest: row.artefact for row in await session.execute(query)}
        _FETCHED.clear()
        _FETCHED.update(known)
    return {one: _FETCHED[one] for one in digests}


async def load_twin(session: AsyncSession, target: ModelTarget) -> Twin | None:
    """Return the champion of a target as it was judged."""
    return await _twin(session, (ModelRow.target == target) & (ModelRow.state == ModelState.CHAMPION))


async def load_filed(session: AsyncSession, training: str) -> Twin | None:
    """Return the model that a training filed, as it is judged."""
    return await _twin(session, ModelRow.training == training)


async def _twin(session: AsyncSession, which: ColumnElement[bool]) -> Twin | None:
    row = ModelRow
    query = select(*_STORED, row.judged_artefact, row.judged_until, row.card["leak_checks"])
    found = (await session.execute(query.where(which))).one_or_none()
    if found is None:
        return None
    *values, until, checks = found
    return Twin(_stored(tuple(values)), until, checks or {})


async def log_loss_on_card(session: AsyncSession, version: str) -> float | None:
    """Return the log-loss that a version of the scores had when its model was tried; None: nobody tried it.

    It is that of model and scorecard together where that was measured, since that is what scored.
    """
    named = (func.strpos(version, ModelRow.name) > 0) & (ModelRow.target == ModelTarget.CHURN)
    decisions = await session.scalar(
        select(ModelRow.decisions).where(named).order_by(ModelRow.trained_at.desc())
    )
    for decision in reversed(decisions or []):
        figures = decision.get("figures") or {}
        used = figures.get("as_used") or {}
        if isinstance(used.get("log_loss"), float):
            return float(used["log_loss"])
    return None


async def load_both(session: AsyncSession, name: str | None, target: ModelTarget) -> Filed:
    """Return a filed model by its name, or the champion of a target; raises NotFoundError."""
    row = ModelRow
    which = row.name == name if name else (row.target == target) & (row.state == ModelState.CHAMPION)
    query = select(*_STORED, row.artefact, row.trained_until, row.judged_artefact, row.judged_until)
    found = (await session.execute(query.where(which))).one_or_none()
    if found is None:
        raise NotFoundError(what="trained model", key=name or f"champion of {target.value}")
    *values, artefact, trained, judged, until = found
    used = _stored((*values, artefact))
    return Filed(used, trained, replace(used, artefact=judged), until)


def _stored(values: tuple[Any, ...]) -> StoredModel:
    name, target, state, form, horizon, columns, *others = values
    return StoredModel(name, target, state, form, horizon, tuple(columns), *others)


async def file_model(session: AsyncSession, model: NewModel, now: BusinessInstant) -> str:
    """File a challenger and return its name; a training that has filed one already gets that name again."""
    await _alone(session, model.target)
    had = await named_by_training(session, model.training)
    if had is not None:
        return had
    name = await _next_name(session, model.target, now)
    values = asdict(replace(model, card={})) | {"card": dict(model.card), "columns": list(model.columns)}
    judged = values.pop("judged")
    digest = hashlib.blake2b(model.artefact + judged, digest_size=16).hexdigest()
    filed = ModelDecision(ModelState.CHALLENGER, "training", "trained, not judged yet", now)
    await session.execute(
        insert(ModelRow).values(
            **values, name=name, state=ModelState.CHALLENGER, horizon_days=model.target.horizon_days,
            trained_at=now, judged_artefact=judged, digest=digest, decisions=[filed.document()],
        )
    )  # fmt: skip
    return name


async def _next_name(session: AsyncSession, target: ModelTarget, now: BusinessInstant) -> str:
    stem = f"{target.value}-{now.date().isoformat()}-"
    names = await session.scalars(select(ModelRow.name).where(ModelRow.name.startswith(stem)))
    return f"{stem}{max((int(one.removeprefix(stem)) for one in names), default=0) + 1}"


async def decide(session: AsyncSession, name: str, decision: ModelDecision) -> None:
    """Move a model to another state that is not champion, and write down why."""
    _, state = await _held(session, name)
    if state is ModelState.CHAMPION:
        raise ConflictError(what=f"model {name}", reason="it is the champion: roll it back instead")
    await _note(session, name, decision)


async def promote(session: AsyncSession, name: str, by: str, why: str, now: BusinessInstant) -> str | None:
    """Make a model the champion of its target; return whose place it took."""
    target, _ = await _held(session, name)
    before = await _champion(session, target)
    if before == name:
        raise ConflictError(what=f"model {name}", reason="it is the champion already")
    if before is not None:
        await _note(
            session, before, ModelDecision(ModelState.RETIRED, by, f"{name} took its place: {why}", now)
        )
    await session.execute(update(ModelRow).where(ModelRow.name == name).values(replaced=before))
    await _note(session, name, ModelDecision(ModelState.CHAMPION, by, why, now))
    return before


async def roll_back(
    session: AsyncSession, target: ModelTarget, by: str, why: str, now: BusinessInstant
) -> str | None:
    """Retire the champion and bring back the one before; None: the scorecard alone speaks again."""
    await _alone(session, target)
    name = await _champion(session, target)
    if name is None:
        raise NotFoundError(what="champion", key=target.value)
    before = await session.scalar(select(ModelRow.replaced).where(ModelRow.name == name))
    await session.execute(update(ModelRow).where(ModelRow.name == name).values(replaced=None))
    await _note(session, name, ModelDecision(ModelState.RETIRED, by, f"rolled back: {why}", now))
    if before is not None:
        said = f"brought back in the place of {name}: {why}"
        await _note(session, before, ModelDecision(ModelState.CHAMPION, by, said, now))
    return before


async def review(session: AsyncSession, name: str, by: str, why: str, now: BusinessInstant) -> ModelState:
    """Keep a person's word on a model that looked too good, and return where the model stands.

    Nobody else decides about its target until the transaction ends.
    """
    _, state = await _held(session, name)
    await session.execute(update(ModelRow).where(ModelRow.name == name).values(reviewed_at=now))
    await _note(session, name, ModelDecision(state, by, f"reviewed: {why}", now))
    return state


async def named_by_training(session: AsyncSession, training: str) -> str | None:
    """Return the model that a training filed."""
    name: str | None = await session.scalar(select(ModelRow.name).where(ModelRow.training == training))
    return name


async def list_models(session: AsyncSession, target: ModelTarget | None = None) -> list[dict[str, Any]]:
    """Return every model without its card, the newest first."""
    query = select(*_SHOWN)
    if target is not None:
        query = query.where(ModelRow.target == target)
    return await _rows(session, query.order_by(ModelRow.trained_at.desc(), ModelRow.name.desc()))


async def show_model(session: AsyncSession, name: str) -> dict[str, Any]:
    """Return one model with its card and every decision about it."""
    found = await _rows(session, select(*_SHOWN, ModelRow.card).where(ModelRow.name == name))
    if not found:
        raise NotFoundError(what="model", key=name)
    return found[0]


async def _rows(session: AsyncSession, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def _held(session: AsyncSession, name: str) -> tuple[ModelTarget, ModelState]:
    """Return what a model is for and where it stands, once nobody else decides about that target."""
    target = await session.scalar(select(ModelRow.target).where(ModelRow.name == name))
    if target is None:
        raise NotFoundError(what="model", key=name)
    await _alone(session, target)
    return target, (await session.scalars(select(ModelRow.state).where(ModelRow.name == name))).one()


async def _champion(session: AsyncSession, target: ModelTarget) -> str | None:
    query = select(ModelRow.name).where(ModelRow.target == target, ModelRow.state == ModelState.CHAMPION)
    name: str | None = await session.scalar(query)
    return name


async def _note(session: AsyncSession, name: str, decision: ModelDecision) -> None:
    row = ModelRow
    had = await session.scalar(select(row.decisions).where(row.name == name))
    await session.execute(
        update(row)
        .where(row.name == name)
        .values(state=decision.state, decisions=[*(had or []), decision.document()])
    )


async def _alone(session: AsyncSession, target: ModelTarget) -> None:
    """Decide about one target at a time, until the transaction ends."""
    lock = "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"
    await session.execute(text(lock), {"key": f"models/{target.value}"})
