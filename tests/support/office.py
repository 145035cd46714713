"""An office of ours with customers, warnings and the stage that mails them, on a clock that a test moves."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import insert, select, update

from domain import vocabulary as words
from domain.directives import OpenHeadsUp
from domain.notifications import NotificationChoices
from domain.ports import EmailAddress, EmailSender
from domain.time import BusinessInstant, WallInstant, business, wall
from domain.timeline import Segment, Timeline
from domain.vocabulary import HeadsUpState, Role, Severity, SignalKind, SignalState
from integrations.fake_email import FakeEmailSender
from integrations.jinja_renderer import JinjaMessageRenderer
from models.clock import StoredClock
from models.database import Database
from models.notifications import Preferences, save_preferences
from models.rulings import open_heads_up
from models.sources import Source, connect_source
from models.tables.customers import CustomerRow
from models.tables.ledger import EffectRow
from models.tables.people import UserRow
from models.tables.scoring import MassAlertRow, SignalRow
from models.tables.work import HeadsUpRow
from workers.heads_up_mail import HeadsUpMail
from workers.internal_letters import InternalLetterhead
from workers.library import INTERNAL

TUESDAY = business(dt.datetime(2026, 11, 17, 10, 0, tzinfo=dt.UTC))
MINUTES, HOURS = dt.timedelta(minutes=1), dt.timedelta(hours=1)


class HandClock(StoredClock):
    """A clock that stands where a test puts it; business time goes with the wall."""

    def __init__(self, at: BusinessInstant) -> None:
        super().__init__(Timeline((Segment(wall(at), at, 1.0),)))
        self.at = wall(at)

    def wall_now(self) -> WallInstant:
        return self.at

    def move(self, by: dt.timedelta) -> None:
        self.at = WallInstant(self.at + by)

    def put(self, at: dt.datetime) -> None:
        self.at = wall(at)


def letterhead() -> InternalLetterhead:
    """Our own templates, under an address of the tests."""
    address = EmailAddress("everstay@vendor.example", "Everstay")
    return InternalLetterhead(JinjaMessageRenderer(INTERNAL), "https://everstay.example", address)


class Office:
    """Users, customers and warnings by name."""

    def __init__(self, database: Database, at: BusinessInstant = TUESDAY) -> None:
        self.database, self.clock = database, HandClock(at)
        self.sender = FakeEmailSender()
        self.users: dict[str, uuid.UUID] = {}
        self.customers: dict[str, uuid.UUID] = {}

    @property
    def now(self) -> BusinessInstant:
        return self.clock.now()

    def stage(self, sender: EmailSender | None = None) -> HeadsUpMail:
        """A process that mails."""
        return HeadsUpMail(self.database, self.clock, sender or self.sender, letterhead())

    async def round(self) -> int:
        """Let the stage go round once."""
        return await self.stage().round()

    async def later(self, by: dt.timedelta = 4 * MINUTES) -> int:
        """Go round after a while."""
        self.clock.move(by)
        return await self.round()

    async def user(
        self, name: str, role: Role = Role.CSM, manager: str | None = None, **more: Any
    ) -> uuid.UUID:
        self.users[name] = uuid.uuid4()
        row = {
            "id": self.users[name],
            "email": f"{name}@vendor.example",
            "name": name.title(),
            "role": role,
            "manager_id": self.users[manager] if manager else None,
            "created_at": WallInstant(self.clock.wall_now() + len(self.users) * MINUTES),
        }
        async with self.database.transaction() as session:
            await session.execute(insert(UserRow).values(row | more))
        return self.users[name]

    async def customer(self, name: str, owner: str | None, arr: int = 1000) -> uuid.UUID:
        """Add a customer with so much ARR in whole dollars."""
        self.customers[name] = uuid.uuid4()
        async with self.database.transaction() as session:
            source = Source("crm", "CRM", "test", ("customers",), self.now)
            await connect_source(session, source)
            await session.execute(
                insert(CustomerRow).values(
                    id=self.customers[name],
                    source_id="crm",
                    external_id=name,
                    content_hash="0",
                    name=name,
                    segment=words.Segment.SMALL,
                    arr_minor=arr * 100,
                    touch_tier=words.TouchTier.MANAGED,
                    csm_id=self.users[owner] if owner else None,
                    status=words.CustomerStatus.ACTIVE,
                    renewal_on=dt.date(2027, 3, 3),
                    known_at=self.now,
                )
            )
        return self.customers[name]

    async def give(self, name: str, owner: str | None) -> None:
        """Let a customer have another owner."""
        async with self.database.transaction() as session:
            chosen = update(CustomerRow).where(CustomerRow.id == self.customers[name])
            await session.execute(chosen.values(csm_id=self.users[owner] if owner else None))

    async def warn(
        self,
        name: str,
        severity: Severity = Severity.HIGH,
        kind: SignalKind = SignalKind.USAGE_DROP,
        alert: uuid.UUID | None = None,
    ) -> bool:
        """Let a signal open and its warning with it, as the director does."""
        signal_id, title = uuid.uuid4(), f"{kind.value.replace('_', ' ').capitalize()} at {name}"
        async with self.database.transaction() as session:
            query = select(SignalRow.id).where(
                SignalRow.customer_id == self.customers[name], SignalRow.kind == kind
            )
            known = await session.scalar(query)
            if known is None:
                await session.execute(
                    insert(SignalRow).values(
                        id=signal_id,
                        customer_id=self.customers[name],
                        kind=kind,
                        dedupe_key=kind.value,
                        severity=severity,
                        state=SignalState.OPEN,
                        title=title,
                        evidence={"baseline": 120.0, "now": 40.0, "newest_on": "2026-11-16"},
                        is_baseline=False,
                        opened_at=self.now,
                        updated_at=self.now,
                        mass_alert_id=alert,
                    )
                )
            warning = OpenHeadsUp(kind.value, severity, title, "", known or signal_id)
            return await open_heads_up(session, self.customers[name], warning, self.now)

    async def mass_alert(self, state: str = "released") -> uuid.UUID:
        """Add a mass alert that was released, or is held back."""
        alert = uuid.uuid4()
        row = {
            "id": alert,
            "kind": SignalKind.USAGE_DROP,
            "state": state,
            "expected": 300,
            "active": 400,
        }
        async with self.database.transaction() as session:
            await session.execute(insert(MassAlertRow).values(row | {"opened_at": self.now}))
        return alert

    async def close(self, name: str, state: HeadsUpState = HeadsUpState.CLOSED) -> None:
        """Close or acknowledge every warning of a customer."""
        async with self.database.transaction() as session:
            mine = update(HeadsUpRow).where(HeadsUpRow.customer_id == self.customers[name])
            await session.execute(mine.values(state=state))

    async def disable(self, name: str) -> None:
        async with self.database.transaction() as session:
            gone = update(UserRow).where(UserRow.id == self.users[name])
            await session.execute(gone.values(disabled_at=self.clock.wall_now()))

    async def choose(self, name: str, away_until: BusinessInstant | None = None, **choices: Any) -> None:
        """Save what somebody wants by mail."""
        async with self.database.transaction() as session:
            chosen = Preferences(NotificationChoices(**choices), away_until)
            await save_preferences(session, self.users[name], chosen, self.clock.wall_now())

    async def owners(self) -> dict[str, str | None]:
        """Return who looks after the open warnings of each customer."""
        names: dict[uuid.UUID | None, str] = {key: name for name, key in self.users.items()}
        query = (
            select(CustomerRow.name, HeadsUpRow.owner_id)
            .join(HeadsUpRow, HeadsUpRow.customer_id == CustomerRow.id)
            .where(HeadsUpRow.state != HeadsUpState.CLOSED)
        )
        async with self.database.transaction() as session:
            rows = (await session.execute(query)).all()
        return {name: names.get(owner) for name, owner in rows}

    async def effects(self) -> list[EffectRow]:
        async with self.database.transaction() as session:
            return list((await session.scalars(select(EffectRow).order_by(EffectRow.key))).all())

    def mails(self) -> list[tuple[str, str]]:
        """Return who got which subject, in order."""
        return [(mail.to.email.partition("@")[0], mail.subject) for mail in self.sender.accepted]
