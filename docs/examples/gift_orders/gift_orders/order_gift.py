"""Orders a gift by leaving a file for the shop, once per visit of the step."""

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.own_steps import StepContext


class GiftConfig(BaseModel):
    """What a playbook may set."""

    model_config = ConfigDict(extra="forbid")

    folder: Path
    gift: Literal["cake", "flowers", "book"] = "cake"
    least_arr: float = Field(0, ge=0)
    """Customers below this get none."""


class OrderGift:
    """The step `order_gift`."""

    config = GiftConfig
    results = ("ordered", "too_small")

    async def run(self, context: StepContext, config: GiftConfig) -> str:
        """Leave one order per effect key: a repeated attempt finds the file of the first."""
        if float(context.facts.get("arr") or 0) < config.least_arr:
            return "too_small"
        name = hashlib.sha256(context.effect_key.encode()).hexdigest()[:24]
        order = {"gift": config.gift, "customer": context.customer_external_id, "at": str(context.now)}
        config.folder.mkdir(parents=True, exist_ok=True)
        place = config.folder / f"{name}.json"
        if not place.exists():
            draft = place.with_suffix(".draft")
            draft.write_text(json.dumps(order), encoding="utf-8")
            draft.replace(place)  # whoever reads the folder sees a whole order or none
        return "ordered"
