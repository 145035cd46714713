"""Consent: a source speaks of what it told itself, silence changes nothing, and a person's own word holds."""

import uuid
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from domain.facts import Fact
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import NoticeKind, Purpose
from models.database import Database
from models.facts import store_facts
from models.facts_batch import StoreResult, fact_id
from models.opt_outs import MAIL_PROVIDER, OWN_PAGE, consents_of, record_consent
from models.tables.ledger import OutboxRow
from tests.support.facts import CRM, WALL, connect, contact, customer, day

pytestmark = pytest.mark.integration
ANN = fact_id(CRM, "contact", "ann")
LIFECYCLE, MARKETING = Purpose.LIFECYCLE, Purpose.MARKETING


async def tell(database: Database, *facts: Fact) -> StoreResult:
    async with database.transaction() as session:
        return await store_facts(session, CRM, facts, received_at=WALL)


async def choose(
    database: Database, at: BusinessInstant, *choices: tuple[Purpose, bool], origin: str = OWN_PAGE
) -> None:
    async with database.transaction() as session:
        await record_consent(session, ANN, choices, origin, at, at, WallInstant(WALL))


async def holding(database: Database, who: uuid.UUID = ANN) -> dict[Purpose, bool]:
    async with database.transaction() as session:
        return await consents_of(session, who)


async def notices(database: Database) -> int:
    async with database.transaction() as session:
        kinds: Sequence[NoticeKind] = (await session.scalars(select(OutboxRow.kind))).all()
    return sum(kind is NoticeKind.CONSENT_CHANGED for kind in kinds)


@pytest.fixture
async def told(database: Database) -> Database:
    """Ann agreed to lifecycle mail, as her CRM says."""
    await connect(database)
    await tell(database, customer(), contact(consents=("lifecycle",)))
    return database


async def test_a_source_that_says_nothing_of_consent_changes_nothing(told: Database) -> None:
    moved = await tell(told, contact(name="Ann Other", known_at=day(1, 20)))
    assert moved.stored == 1
    assert await holding(told) == {LIFECYCLE: True}
    assert (await tell(told, contact(name="Ann Other", known_at=day(1, 20)))).duplicates == 1


async def test_told_to_agree_to_nothing_withdraws_what_the_source_told(told: Database) -> None:
    await tell(told, contact(consents=(), known_at=day(1, 20)))
    assert await holding(told) == {LIFECYCLE: False}
    assert await notices(told) == 1


async def test_what_a_person_granted_themselves_is_not_withdrawn_by_a_source(told: Database) -> None:
    await choose(told, day(1, 10), (LIFECYCLE, True), (MARKETING, True))
    before = await notices(told)
    await tell(told, contact(consents=(), known_at=day(1, 20)))
    assert await holding(told) == {LIFECYCLE: True, MARKETING: True}
    assert await notices(told) == before


@pytest.mark.parametrize("origin", [OWN_PAGE, MAIL_PROVIDER])
async def test_what_a_person_refused_is_not_granted_by_a_source(told: Database, origin: str) -> None:
    await choose(told, day(1, 10), (LIFECYCLE, False), (MARKETING, False), origin=origin)
    assert (await tell(told, contact(consents=("lifecycle",)))).duplicates == 1
    await tell(told, contact(consents=("lifecycle", "marketing"), known_at=day(1, 20)))
    assert await holding(told) == {LIFECYCLE: False, MARKETING: False}


async def test_only_the_person_changes_their_own_choice(told: Database) -> None:
    await choose(told, day(1, 10), (LIFECYCLE, False))
    await tell(told, contact(consents=("lifecycle", "marketing"), known_at=day(1, 20)))
    await choose(told, day(1, 15), (LIFECYCLE, True))
    assert await holding(told) == {LIFECYCLE: True, MARKETING: True}


async def test_an_older_word_that_comes_late_is_no_news(told: Database) -> None:
    await tell(told, contact(consents=(), known_at=day(1, 20)))
    assert (await tell(told, contact(consents=("lifecycle",)))).duplicates == 1
    assert await holding(told) == {LIFECYCLE: False}


async def test_two_words_of_the_same_instant_contradict_each_other(told: Database) -> None:
    assert len((await tell(told, contact(consents=()))).conflicts) == 1
    await tell(told, contact(consents=(), known_at=day(1, 20)))
    assert len((await tell(told, contact(consents=("lifecycle",), known_at=day(1, 20)))).conflicts) == 1
    assert await holding(told) == {LIFECYCLE: False}
