"""Who speaks when customers are scored today."""

import structlog

from domain.model_features import is_column
from domain.risk import Scorecard
from domain.scoring_policy import RiskPolicy
from domain.trained_model import StoredModel
from domain.voices import ModelReader, Voices
from models.database import Session
from models.model_registry import load_in_use

log = structlog.get_logger("models")


async def open_voices(session: Session, reader: ModelReader, policy: RiskPolicy) -> Voices:
    """Return the voices of today: the scorecard alone until there is a champion."""
    stored = [one for one in await load_in_use(session) if _is_readable(one)]
    return reader.read(stored, policy) if stored else Voices(Scorecard(policy))


def _is_readable(model: StoredModel) -> bool:
    gone = [name for name in model.columns if not is_column(name)]
    if gone:
        log.warning("model reads a column that is no more", model=model.name, column=gone[0])
    return not gone
