"""Put one customer into a situation, as scoring would: tier, signals, notices."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.facts import Fact
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import (
    CustomerStatus,
    NoticeKind,
    Purpose,
    RiskTier,
    Role,
    Severity,
    SignalKind,
    SignalState,
    TaskOutcome,
    TaskState,
    TouchTier,
)
from models.database import Database
from models.facts import store_facts
from models.opt_outs import record_consent
from models.outbox import Notice, put_notices
from models.sources import Source, connect_source
from models.tables.customers import ContactRow, CustomerRow
from models.tables.ledger import DecisionRow, TouchpointRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.scoring import ScoreRow, SignalRow
from models.tables.work import HeadsUpRow, TaskRow
from models.work import complete_task
from tests.support.facts import contact, customer, touchpoint


class Scenario:
    """One customer with a champion, a CSM and a manager; verbs that change its situation."""

    def __init__(self, database: Database, now: BusinessInstant) -> None:
        self.database = database
        self.now = now
        self.customer_id = uuid.UUID(int=0)
        self.csm_id, self.manager_id = uuid.uuid4(), uuid.uuid4()
        self.signals: dict[SignalKind, uuid.UUID] = {}

    async def begin(self, tier: TouchTier = TouchTier.MANAGED, **values: Any) -> "Scenario":
        """Create the customer and its people."""
        known = BusinessInstant(self.now - dt.timedelta(days=400))
        async with self.database.transaction() as session:
            source = Source("crm", "CRM", "test", ("customers", "usage", "touchpoints"), self.now)
            await connect_source(session, source)
            for user_id, name, role, manager in (
                (self.manager_id, "Mia Manager", Role.MANAGER, None),
                (self.csm_id, "Carl Careful", Role.CSM, self.manager_id),
            ):
                email = f"{name.split()[0].lower()}@everstay.example"
                await session.execute(
                    insert(UserRow).values(
                        id=user_id, email=email, name=name, role=role, manager_id=manager, created_at=self.now
                    )
                )
            facts: list[Fact] = [
                customer("acme", known_at=known, time_zone="UTC"),
                contact(
                    "ann",
                    known_at=known,
                    since=known,
                    name="Ann Able",
                    email="ann@acme.example",
                    roles=("champion",),
                    consents=(Purpose.LIFECYCLE, Purpose.MARKETING),
                ),
            ]
            await store_facts(session, "crm", facts, received_at=WallInstant(self.now))
            self.customer_id = (
                await session.execute(select(CustomerRow.id).where(CustomerRow.source_id == "crm"))
            ).scalar_one()
            defaults = {
                "touch_tier_override": tier,
                "csm_id": self.csm_id,
                "status": CustomerStatus.ACTIVE,
                "arr_minor": 4_800_000,
                "last_touch_at": self.now,
                "acted_tier": RiskTier.LOW,
                "holdout": False,
            }
            await session.execute(update(CustomerRow).values(defaults | values))
        await self._score_before()
        return self

    async def _score_before(self) -> None:
        """Give the customer a first score, so that what follows is a change."""
        long_ago = BusinessInstant(self.now - dt.timedelta(days=100))
        async with self.database.transaction() as session:
            await session.execute(upsert(ScoreRow).values(self._score(RiskTier.LOW, "usage", long_ago)))

    def _score(self, tier: RiskTier, family: str, at: BusinessInstant) -> dict[str, Any]:
        drivers = [{"family": family, "sentence": "logins fell from 41 to 9 a week", "points": 30.0}]
        return {
            "customer_id": self.customer_id,
            "as_of": at.date(),
            "scored_at": at,
            "churn_probability": 0.2,
            "churn_risk_score": 60,
            "churn_risk_tier": tier,
            "health_score": 40,
            "components": {},
            "drivers": drivers,
            "horizon_days": 90,
            "model_version": "test",
        }

    async def set_tier(
        self, tier: RiskTier, family: str = "usage", now: BusinessInstant | None = None
    ) -> None:
        """Act as scoring does when the acted tier changes."""
        at = now or self.now
        async with self.database.transaction() as session:
            await session.execute(update(CustomerRow).values(acted_tier=tier, acted_tier_at=at))
            score = self._score(tier, family, at)
            statement = upsert(ScoreRow).values(score)
            keys = ["customer_id", "as_of"]
            await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=score))
            await self._tell(session, NoticeKind.TIER_CHANGED, {"to": tier.value}, at)

    async def open_signal(self, kind: SignalKind, now: BusinessInstant | None = None) -> uuid.UUID:
        """Act as scoring does when a detector fires."""
        at, signal_id = now or self.now, uuid.uuid4()
        async with self.database.transaction() as session:
            await session.execute(
                insert(SignalRow).values(
                    id=signal_id,
                    customer_id=self.customer_id,
                    kind=kind,
                    dedupe_key=kind.value,
                    severity=Severity.HIGH,
                    state=SignalState.OPEN,
                    title=f"{kind.value} was seen",
                    evidence={},
                    is_baseline=False,
                    opened_at=at,
                    updated_at=at,
                )
            )
            await self._tell(
                session, NoticeKind.SIGNAL_OPENED, {"signal_id": str(signal_id), "kind": kind.value}, at
            )
        self.signals[kind] = signal_id
        return signal_id

    async def resolve_signal(self, kind: SignalKind, now: BusinessInstant | None = None) -> None:
        """Act as scoring does when what a detector saw is over."""
        at, signal_id = now or self.now, self.signals.pop(kind)
        async with self.database.transaction() as session:
            await session.execute(
                update(SignalRow)
                .where(SignalRow.id == signal_id)
                .values(state=SignalState.RESOLVED, resolved_at=at)
            )
            payload = {"signal_id": str(signal_id), "kind": kind.value}
            await self._tell(session, NoticeKind.SIGNAL_RESOLVED, payload, at)
            await self._tell(session, NoticeKind.RE_ENGAGED, {"kinds": [kind.value]}, at)

    async def hear(self, *facts: Fact, now: BusinessInstant) -> None:
        """Take facts from the CRM, as an import or a webhook would."""
        async with self.database.transaction() as session:
            await store_facts(session, "crm", list(facts), received_at=WallInstant(now))

    async def touch(self, now: BusinessInstant, key: str = "call-1", **told: Any) -> None:
        """Let somebody of ours speak with the customer, and the CRM tell of it."""
        told = {"direction": "out", "channel": "call", "occurred_at": now, "known_at": now} | told
        await self.hear(touchpoint(key, **told), now=now)
        await self.change(last_touch_at=now)
        await self.tell(NoticeKind.TOUCHPOINT, {"direction": told["direction"]}, now)

    async def replace_champion(self, name: str, email: str, now: BusinessInstant) -> None:
        """Let Ann leave, and somebody else become the champion."""
        since = BusinessInstant(self.now - dt.timedelta(days=400))
        async with self.database.transaction() as session:
            await session.execute(update(ContactRow).values(left_at=now))
        newcomer = contact(
            email.split("@", maxsplit=1)[0],
            known_at=now,
            since=since,
            name=name,
            email=email,
            roles=("champion",),
            consents=(Purpose.LIFECYCLE,),
        )
        await self.hear(newcomer, now=now)

    async def opt_out(self, now: BusinessInstant) -> None:
        """Let every contact refuse what can be refused."""
        async with self.database.transaction() as session:
            for contact_id in (await session.scalars(select(ContactRow.id))).all():
                choices = [(Purpose.LIFECYCLE, False), (Purpose.MARKETING, False)]
                await record_consent(session, contact_id, choices, "link", now, now, WallInstant(now))

    async def finish(self, title: str, outcome: TaskOutcome, now: BusinessInstant) -> None:
        """Finish the open task whose title has these words."""
        task = next(
            task for task in await self.tasks() if title in task.title and task.state is TaskState.OPEN
        )
        async with self.database.transaction() as session:
            await complete_task(session, task.id, outcome, None, self.csm_id, now, WallInstant(now))

    async def tell(
        self, kind: NoticeKind, payload: dict[str, Any], now: BusinessInstant | None = None
    ) -> None:
        """Put any notice."""
        async with self.database.transaction() as session:
            await self._tell(session, kind, payload, now or self.now)

    async def changed(self, now: BusinessInstant) -> None:
        """Say that something about the customer is new."""
        await self.tell(NoticeKind.CUSTOMER_CHANGED, {}, now)

    async def change(self, **values: Any) -> None:
        """Change the customer's row."""
        async with self.database.transaction() as session:
            await session.execute(update(CustomerRow).values(values))

    async def _tell(
        self, session: Any, kind: NoticeKind, payload: dict[str, Any], at: BusinessInstant
    ) -> None:
        await put_notices(session, [Notice(self.customer_id, kind, payload, at)], WallInstant(at))

    async def rows(self, table: Any) -> list[Any]:
        """Return every row of a table."""
        async with self.database.transaction() as session:
            return list((await session.scalars(select(table))).all())

    async def runs(self) -> list[InterventionRow]:
        return sorted(await self.rows(InterventionRow), key=lambda row: row.planned_at)

    async def steps(self) -> list[InterventionStepRow]:
        return list(await self.rows(InterventionStepRow))

    async def tasks(self) -> list[TaskRow]:
        return list(await self.rows(TaskRow))

    async def heads_ups(self) -> list[HeadsUpRow]:
        return list(await self.rows(HeadsUpRow))

    async def decisions(self) -> list[DecisionRow]:
        return sorted(await self.rows(DecisionRow), key=lambda row: row.decided_at)

    async def touchpoints(self) -> list[TouchpointRow]:
        return list(await self.rows(TouchpointRow))
