import uuid

import pytest
from sqlalchemy import delete, insert, select

from domain.errors import ConflictError, NotFoundError
from domain.vocabulary import EffectState, TaskOutcome, TaskState, WorkflowAction
from models.clock import wall_now
from models.database import Database
from models.effect_answers import answer_effect
from models.hands import Hand
from models.resources.effects import EffectFilter, list_effects
from models.tables.ledger import DecisionRow, EffectRow
from models.tables.work import TaskRow
from models.tables.workflows import WorkflowOrderRow
from tests.support.doubts import a_case, doubt
from tests.support.scenario import Scenario
from tests.support.steps import MONDAY

pytestmark = pytest.mark.integration


def mia() -> Hand:
    return Hand("Mia", None, MONDAY, wall_now())


@pytest.mark.parametrize(("happened", "state"), [(True, EffectState.SENT), (False, EffectState.FAILED)])
async def test_an_answer_closes_the_question_of_a_case_and_rings_it(
    database: Database, *, happened: bool, state: EffectState
) -> None:
    scene = await Scenario(database, MONDAY).begin()
    case_id = await a_case(database, scene.customer_id)
    key = await doubt(database, f"case/{case_id}/reminder/1/", scene.customer_id)
    async with database.transaction() as session:
        await session.execute(delete(WorkflowOrderRow))
        await answer_effect(session, key, mia(), happened=happened)
    (effect,) = await scene.rows(EffectRow)
    (task,) = await scene.rows(TaskRow)
    (order,) = await scene.rows(WorkflowOrderRow)
    assert (effect.state, effect.error is not None and effect.error.startswith("Mia says")) == (state, True)
    assert (task.state, task.outcome) == (TaskState.DONE, TaskOutcome.RESOLVED)
    assert (order.case_id, order.action) == (case_id, WorkflowAction.RING)
    (decision,) = [one for one in await scene.rows(DecisionRow) if one.action == "settle_effect"]
    assert (decision.case_id, decision.evidence) == (case_id, {"effect": key})
    async with database.transaction() as session:
        with pytest.raises(ConflictError, match="it is known by now"):
            await answer_effect(session, key, mia(), happened=happened)


async def test_an_effect_for_one_of_ours_is_settled_without_a_customer(database: Database) -> None:
    scene = await Scenario(database, MONDAY).begin()
    async with database.transaction() as session:
        await session.execute(
            insert(EffectRow).values(
                key="internal/1",
                delivery_id="d",
                kind="internal_email",
                payload_hash="",
                user_id=scene.csm_id,
                state=EffectState.UNCERTAIN,
                attempts=1,
                claimed_at=wall_now(),
                provider="sendgrid",
            )
        )
        await answer_effect(session, "internal/1", mia(), happened=True)
        assert await session.scalar(select(EffectRow.state)) is EffectState.SENT
        with pytest.raises(NotFoundError):
            await answer_effect(session, "internal/2", mia(), happened=True)


async def test_the_ledger_is_read_page_by_page_without_gaps(database: Database) -> None:
    scene = await Scenario(database, MONDAY).begin()
    wall = wall_now()
    rows = [
        {
            "key": f"{uuid.uuid4()}/hello/1/x",
            "delivery_id": f"delivery-{number}",
            "kind": "email",
            "payload_hash": "",
            "customer_id": scene.customer_id,
            "state": EffectState.SENT,
            "attempts": 1,
            "claimed_at": wall,
            "provider": "sendgrid",
        }
        for number in range(25)
    ]
    seen: list[str] = []
    async with database.transaction() as session:
        await session.execute(insert(EffectRow), rows)
        cursor: str | None = None
        while True:
            page = await list_effects(session, EffectFilter(kind="email"), cursor, 7)
            seen += [row["key"] for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
        one = await list_effects(session, EffectFilter(search="delivery-7"), None, 7)
        assert [row["delivery_id"] for row in one.rows] == ["delivery-7"]
    assert sorted(seen) == sorted(str(row["key"]) for row in rows)
