"""Cases for the replay corpus: an invoice that is collected, and a win-back whose activities only answer."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

from temporalio import activity
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contracts import Wake
from activities.contracts_cases import (
    LETTER,
    AdvanceCaseInput,
    AdvanceCaseResult,
    CaseContract,
    CaseMailContract,
    CaseOrder,
    CaseRunState,
)
from domain.case_vocabulary import CaseOutcome
from domain.time import BusinessInstant, WallInstant
from models.database import Database
from tests.replay.recording import Recorded, Scene, begin_life, record
from tests.support.binaries import time_skipping_server
from tests.support.debtors import Debtor
from tests.support.loop import running_loop
from workers.main import sandbox
from workflows.cases import WinBackWorkflow

LEFT = uuid.UUID(int=9)
DAY = dt.timedelta(days=1)


async def collected(database: Database) -> AsyncIterator[Recorded]:
    """Two charges are refused, a letter goes out, another card is entered and charged."""
    async with running_loop(database) as loop:
        debtor = await Debtor(loop, await begin_life(loop)).begin()
        loop.billing.refusals["card_1"] = ["insufficient_funds", "expired_card"]
        await debtor.owe()
        await loop.live(8)
        loop.billing.refusals["card_1"] = []
        loop.billing.pay("in_1")
        await debtor.tell()
        await loop.live(1)
        case = await debtor.case()
        yield await record(loop.client, "dunning-until-paid", case.workflow_id)


class Answering(CaseContract, CaseMailContract):
    """A win-back: a wait, a letter, an offer whose every attempt fails, and an end."""

    @activity.defn(name="advance_case")
    async def advance_case(self, request: AdvanceCaseInput) -> AdvanceCaseResult:
        if request.seq == 1:
            due = dt.datetime.now(dt.UTC) + DAY
            return AdvanceCaseResult(wake=Wake(BusinessInstant(due), WallInstant(due)))
        steps = {2: (LETTER, "ask"), 3: ("discount", "offer")}
        if request.seq in steps:
            kind, step = steps[request.seq]
            return AdvanceCaseResult(order=CaseOrder(LEFT, kind, step, 1))
        return AdvanceCaseResult(outcome=CaseOutcome.LOST)

    @activity.defn(name="perform_case_step")
    async def perform_case_step(self, order: CaseOrder) -> str:
        assert order.kind != LETTER
        raise ApplicationError("the billing provider refuses it", non_retryable=True)

    @activity.defn(name="send_case_letter")
    async def send_case_letter(self, order: CaseOrder) -> str:
        assert order.kind == LETTER
        return "sent"


async def won_back_in_vain(_database: Database) -> AsyncIterator[Recorded]:
    """A customer that has left and does not come back."""
    answers = Answering()
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=time_skipping_server(),
        data_converter=pydantic_data_converter,
        identity="everstay",
    ) as env:
        client = env.client
        said: list[Callable[..., Any]] = [answers.advance_case, answers.perform_case_step]
        async with (
            Worker(client, task_queue="lifecycle", workflows=[WinBackWorkflow], workflow_runner=sandbox()),
            Worker(client, task_queue="billing", activities=said),
            Worker(client, task_queue="email", activities=[answers.send_case_letter]),
        ):
            name = f"win-back/{LEFT}/1"
            await client.execute_workflow(
                WinBackWorkflow.run, CaseRunState(LEFT), id=name, task_queue="lifecycle"
            )
            yield await record(client, "win-back-in-vain", name)


SCENES: tuple[Scene, ...] = (collected, won_back_in_vain)
