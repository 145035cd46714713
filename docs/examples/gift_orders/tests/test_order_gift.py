import asyncio
import uuid
from datetime import UTC, datetime
from pathlib import Path

from gift_orders.order_gift import GiftConfig, OrderGift

from domain.own_steps import StepContext
from domain.time import business

CONTEXT = StepContext(
    effect_key="run/gift/1/customer",
    run_id=uuid.UUID(int=1),
    playbook="healthy-thanks",
    step="gift",
    occurrence=1,
    customer_id=uuid.UUID(int=2),
    customer_external_id="acme",
    customer_name="Acme",
    now=business(datetime(2026, 3, 2, tzinfo=UTC)),
    facts={"arr": 48_000.0},
)


def test_an_attempt_that_is_repeated_orders_once(tmp_path: Path) -> None:
    config = GiftConfig(folder=tmp_path)
    for _ in range(2):
        assert asyncio.run(OrderGift().run(CONTEXT, config)) == "ordered"
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_a_small_customer_gets_none(tmp_path: Path) -> None:
    config = GiftConfig(folder=tmp_path, least_arr=100_000)
    assert asyncio.run(OrderGift().run(CONTEXT, config)) == "too_small"
    assert list(tmp_path.iterdir()) == []
