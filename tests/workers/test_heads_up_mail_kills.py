"""kill -9 between the claim of a mail and its receipt, before and after the provider took it."""

import datetime as dt
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from domain.time import BusinessInstant
from domain.vocabulary import EffectState
from integrations.simulators.server import SimulatorOptions
from models.clock import open_clock, start_clock, wall_now
from models.database import Database
from models.effects import LEASE
from models.tables.ledger import EffectRow
from tests.support.forked import forked
from tests.support.mail_worker import mail_until_killed, simulated
from tests.support.office import MINUTES, Office, letterhead
from tests.support.simulators import running_simulators
from workers.heads_up_mail import HeadsUpMail

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


async def delivered(simulator: str) -> list[tuple[str, str]]:
    """Return the delivery ids and subjects in the mailbox."""
    async with httpx.AsyncClient(base_url=simulator, trust_env=False) as http:
        messages = (await http.get("/_mailbox")).json()["messages"]
    return [(one["custom_args"]["delivery_id"], one["subject"]) for one in messages]


async def a_killed_worker_left(database: Database, simulator: str, point: str) -> tuple[Office, str]:
    """Let a process claim a mail, kill it at the point, and let its lease run out."""
    office = Office(database)
    await office.user("carl")
    for name in ("Acme", "Globex"):
        await office.customer(name, "carl", arr=len(name))
        await office.warn(name)
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=BusinessInstant(office.now + 10 * MINUTES))
    with forked(mail_until_killed, database.url, simulator, point) as doomed:
        (delivery_id,) = await doomed.reached()
        doomed.kill()
    (effect,) = await office.effects()
    assert (effect.state, effect.delivery_id) == (EffectState.CLAIMED, delivery_id)
    async with database.transaction() as session:
        over = wall_now() - dt.timedelta(seconds=1)
        await session.execute(update(EffectRow).values(lease_until=over, claimed_at=over - LEASE))
    return office, delivery_id


@pytest.mark.parametrize("point", ["before_send", "after_send"])
@pytest.mark.parametrize("closes", [False, True], ids=["still_open", "closed_meanwhile"])
async def test_a_mail_whose_sender_was_killed_leaves_once(
    database: Database,
    tmp_path: Path,
    point: str,
    closes: bool,  # noqa: FBT001  a case of the test
) -> None:
    async with running_simulators(SimulatorOptions(home=tmp_path, port=0)) as simulator:
        office, delivery_id = await a_killed_worker_left(database, simulator, point)
        if closes:
            await office.close("Acme")
        stage = HeadsUpMail(database, await open_clock(database), simulated(simulator), letterhead())
        for _ in range(3):
            await stage.round()
        said = "2 warnings at 2 customers, first Globex"
        if closes and point == "before_send":
            said = "Globex: Usage drop at Globex"
        assert await delivered(simulator) == [(delivery_id, said)]
    (effect,) = await office.effects()
    assert effect.state is EffectState.SENT
