"""`everstay signals`, on a real Postgres."""

import pytest

from domain.errors import InvalidInputError, NotFoundError
from domain.time import BusinessInstant
from domain.timeline import Segment
from models.clock import append_segment, wall_now
from models.database import Database
from settings import Settings
from tests.support.portfolio import NOW, Portfolio, ago
from tests.support.web import web_settings
from workers.signal_command import (
    list_signals,
    preview_signal,
    shown_list,
    shown_preview,
    shown_switch,
    switch_signal,
)

pytestmark = pytest.mark.integration


@pytest.fixture
async def settings(database: Database, database_url: str) -> Settings:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        await made.invoice(await made.customer(), ago(20))
        await append_segment(session, Segment(wall_now(), BusinessInstant(NOW), 0.0), "test")
    return web_settings(database_url)


async def test_a_signal_is_switched_off_and_on(settings: Settings) -> None:
    off = await switch_signal(settings, "usage_drop", on=False)
    assert shown_switch(off).startswith("usage_drop is off")
    listed = await list_signals(settings)
    assert {one["kind"] for one in listed["detectors"] if not one["enabled"]} == {"usage_drop"}
    assert "usage_drop                    0 open   off" in shown_list(listed)
    await switch_signal(settings, "usage_drop", on=True)
    assert all(one["enabled"] for one in (await list_signals(settings))["detectors"])


async def test_a_preview_takes_other_thresholds(settings: Settings) -> None:
    seen = await preview_signal(settings, "invoice_past_due", [])
    assert (seen["times"], seen["sampled"], seen["of"]) == (1, 1, 1)
    assert "would have opened 1 times" in shown_preview(seen)
    late = await preview_signal(settings, "invoice_past_due", ["mid_market.open=60", "mid_market.severe=90"])
    assert late["times"] == 0


async def test_what_is_wrong_is_told_with_the_fix(settings: Settings) -> None:
    with pytest.raises(InvalidInputError, match=r"SEGMENT.LEVEL=NUMBER"):
        await preview_signal(settings, "invoice_past_due", ["tiny.open=1"])
    with pytest.raises(NotFoundError):
        await switch_signal(settings, "own:nobody", on=True)
    with pytest.raises(NotFoundError):
        await switch_signal(settings, "no_such_kind", on=True)
