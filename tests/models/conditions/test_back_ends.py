"""The two ways of asking a condition say the same: in memory of what was loaded, and in SQL."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from domain.condition_check import CONDITION
from domain.conditions import Condition
from domain.field_shape import Place
from models.condition_facts import load_known_of_many
from models.condition_sql import condition_sql
from models.database import Database
from models.tables.customers import CustomerRow
from tests.support.condition_trees import NOW, Crowd, trees

pytestmark = pytest.mark.integration
CUSTOMERS = 60


def read(document: Any) -> Condition:
    return CONDITION.validate_python(document, context={"place": Place.CUSTOMER})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), documents=st.lists(trees, min_size=1, max_size=6))
async def test_both_back_ends_agree_on_every_customer(
    database: Database, seed: int, documents: list[dict[str, Any]]
) -> None:
    conditions = [read(document) for document in documents]
    crowd = Crowd(random.Random(seed), CUSTOMERS)
    async with database.transaction() as session:
        await crowd.settle(session)
        known = await load_known_of_many(session, crowd.ids, conditions, NOW)
        for document, condition in zip(documents, conditions, strict=True):
            truth = condition_sql(condition, NOW)
            in_sql = dict((await session.execute(select(CustomerRow.id, truth))).all())
            in_memory = {key: condition.holds(known[key]) for key in crowd.ids}
            assert in_sql == in_memory, document
            selected = set(await session.scalars(select(CustomerRow.id).where(truth)))
            assert selected == {key for key in crowd.ids if in_memory[key]}, document
        await session.rollback()
