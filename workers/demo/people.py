"""The people of the demo: ours finish their tasks, customers' people read their mail. Both after a while."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence

from domain.errors import ConflictError
from domain.facts import Fact, TouchpointFact
from domain.time import BusinessInstant
from domain.vocabulary import Channel, Direction
from integrations.simulators.sendgrid.mailbox_client import MailboxClient
from integrations.simulators.sendgrid.reactions import Reaction
from ml.simulation.archetypes import Care
from ml.simulation.habits import TaskHabit, is_working_time, mail_habit, task_habit
from ml.simulation.simulation import Simulation
from models.clock import wall_now
from models.database import Database
from models.demo_people import ReceivedMail, WaitingTask, received_mails, waiting_tasks
from models.work import complete_task, outcomes_of
from workers.demo.payments import DemoPayments
from workers.demo.seed import store

LOOK_BACK = dt.timedelta(days=2)


class DemoPeople:
    """Plays everyone. What customers got as care is handed to the simulation once a day."""

    def __init__(
        self,
        database: Database,
        simulation: Simulation,
        mailbox: MailboxClient,
        payments: DemoPayments,
    ) -> None:
        self._database = database
        self._simulation = simulation
        self._mailbox = mailbox
        self._payments = payments
        self._seed = simulation.config.seed
        self._cares: dict[str, list[Care]] = defaultdict(list)
        self._seen: set[uuid.UUID] = set()
        self._read: set[uuid.UUID] = set()

    def take_cares(self) -> Mapping[str, Sequence[Care]]:
        """Return what each customer got since the last call."""
        taken, self._cares = self._cares, defaultdict(list)
        return taken

    async def live(self, now: BusinessInstant) -> None:
        """Do what is due now."""
        await self._payments.live(now)
        facts = await self._read_mails(now)
        if is_working_time(now):
            facts += await self._finish_tasks(now)
        if facts:
            await store(self._database, facts)

    async def _finish_tasks(self, now: BusinessInstant) -> list[Fact]:
        async with self._database.transaction() as session:
            tasks = await waiting_tasks(session)
        facts: list[Fact] = []
        for task in tasks:
            habit = task_habit(self._seed, task.effect_key, task.created_at, outcomes_of(task.kind))
            if habit.finishes_at is not None and now >= habit.finishes_at and task.assignee_id:
                facts += await self._finish(task, task.assignee_id, habit, now)
        return facts

    async def _finish(
        self, task: WaitingTask, user_id: uuid.UUID, habit: TaskHabit, now: BusinessInstant
    ) -> list[Fact]:
        """Finish one task the way the inbox does; a conversation is a touchpoint and works as care."""
        try:
            async with self._database.transaction() as session:
                await complete_task(session, task.id, habit.outcome, habit.note, user_id, now, wall_now())
        except ConflictError:  # its run ended a moment ago and took the task with it
            return []
        if not habit.spoke:
            return []
        self._cares[task.customer].append(Care.EXECUTIVE if task.is_executive else Care.TASK_DONE)
        call = TouchpointFact(
            key=f"call/{task.id}",
            known_at=now,
            customer=task.customer,
            direction=Direction.OUT,
            channel=Channel.CALL,
            subject="Call about a task",
            occurred_at=now,
        )
        return [call]

    async def _read_mails(self, now: BusinessInstant) -> list[Fact]:
        async with self._database.transaction() as session:
            mails = await received_mails(session, BusinessInstant(now - LOOK_BACK))
        facts: list[Fact] = []
        for mail in mails:
            if mail.touchpoint_id not in self._seen:
                self._seen.add(mail.touchpoint_id)
                self._cares[mail.customer].append(Care.EMAIL_DELIVERED)
            if mail.touchpoint_id not in self._read:
                facts += await self._read_one(mail, now)
        return facts

    async def _read_one(self, mail: ReceivedMail, now: BusinessInstant) -> list[Fact]:
        """Open, click, answer. None of it counts as use of the product."""
        engagement = self._simulation.engagement(mail.customer)
        habit = mail_habit(self._seed, mail.delivery_id, mail.occurred_at, engagement)
        if now < habit.read_at:
            return []
        self._read.add(mail.touchpoint_id)
        if habit.opens:
            self._cares[mail.customer].append(Care.EMAIL_OPENED)
            await self._mailbox.react(mail.delivery_id, Reaction.CLICK if habit.clicks else Reaction.OPEN)
            await self._payments.read(mail, now)
        return [_answer(mail, now)] if habit.answers else []


def _answer(mail: ReceivedMail, now: BusinessInstant) -> TouchpointFact:
    return TouchpointFact(
        key=f"answer/{mail.delivery_id}",
        known_at=now,
        customer=mail.customer,
        contact=mail.contact,
        direction=Direction.IN,
        channel=Channel.EMAIL,
        subject=f"Re: {mail.subject}" if mail.subject else None,
        occurred_at=now,
    )
