"""What replays of the past have shown, kept to be looked at and compared."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant
from models.tables.base import Base


class BacktestRow(Base):
    """One backtest: which model, over which days, and everything that it found."""

    __tablename__ = "backtests"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    model: Mapped[str]
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    has_seen: Mapped[bool]
    """The model had learned from outcomes of these days: its figures prove nothing."""
    run_at: Mapped[BusinessInstant]
    by: Mapped[str]
    document: Mapped[dict[str, Any]]
