"""What was trained, how it was judged, and what it says beside what is acted on."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant, WallInstant
from domain.trained_model import ModelState, ModelTarget
from domain.vocabulary import RiskTier
from models.tables.base import Base


class TrainingRow(Base):
    """One training: under way while `ended_at` is empty; its outcome in words, with a model or without."""

    __tablename__ = "trainings"
    key: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[ModelTarget]
    started_at: Mapped[BusinessInstant]
    started_wall: Mapped[WallInstant]
    known_until: Mapped[BusinessInstant]
    ended_at: Mapped[BusinessInstant | None]
    departures: Mapped[int] = mapped_column(default=0, server_default="0")
    """Departures known when it began: so many more start the next one before its week is over."""
    outcome: Mapped[str | None]


class TrainingPartRow(Base):
    """Snapshots of one date, so that a killed training goes on behind the last; gone with its end."""

    __tablename__ = "training_parts"
    training: Mapped[str] = mapped_column(ForeignKey("trainings.key"), primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(primary_key=True)
    rows: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ModelRow(Base):
    """A trained model with its card and every decision about it; one champion per target."""

    __tablename__ = "models"
    name: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[ModelTarget] = mapped_column(index=True)
    state: Mapped[ModelState]
    training: Mapped[str] = mapped_column(ForeignKey("trainings.key"), unique=True)
    form: Mapped[str]
    horizon_days: Mapped[int]
    columns: Mapped[list[str]]
    base_rate: Mapped[float]
    calibration: Mapped[dict[str, Any]]
    anchors: Mapped[dict[str, Any]]
    churners: Mapped[int]
    other_rate: Mapped[float]
    data_hash: Mapped[str]
    trained_at: Mapped[BusinessInstant]
    trained_until: Mapped[dt.date]
    judged_until: Mapped[dt.date]
    artefact: Mapped[bytes] = mapped_column(LargeBinary)
    judged_artefact: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str]
    """Of both artefacts: what a process has read it need not fetch again."""
    reviewed_at: Mapped[BusinessInstant | None]
    replaced: Mapped[str | None]
    """The champion whose place it took: a rollback goes back to that one."""
    card: Mapped[dict[str, Any]]
    decisions: Mapped[list[dict[str, Any]]]
    """Who decided what, when and why, oldest first."""

    __table_args__ = (
        Index("uq_models_champion", "target", unique=True, postgresql_where=text("state = 'champion'")),
    )


class ShadowScoreRow(Base):
    """What a model that is not acted on would have said of a customer on a day."""

    __tablename__ = "shadow_scores"
    model: Mapped[str] = mapped_column(ForeignKey("models.name"), primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    probability: Mapped[float]
    score: Mapped[int | None]
    tier: Mapped[RiskTier | None]
