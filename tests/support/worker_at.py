"""A worker process that stops at a named point and says so, so that a test can kill it exactly there."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from temporalio import client
from temporalio.client import Client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.billing_calls import OpenBilling
from domain.billing import BillingProvider, PaymentResult
from domain.ports import Clock, DeliveryReceipt, EmailMessage, EmailSender, LastCheck, always
from models.clock import open_clock
from models.database import Database
from settings import Settings
from tests.support.forked import Told
from workers.clock_refresh import keep_fresh
from workers.embedded.connection import connect_temporal
from workers.main import build_worker
from workers.registry import build_parts
from workers.relay import Relay

QUEUES = ("lifecycle", "decisions", "email")


@dataclass(frozen=True)
class Point:
    """Where this process stops, and whom it tells."""

    name: str
    told: Told

    async def stop_here(self, what: str) -> None:
        """Say what this process was busy with, and never go on."""
        self.told.send(what)
        await asyncio.Event().wait()


class StoppingSender:
    """The real sender, around whose call this process can stop."""

    def __init__(self, sender: EmailSender, point: Point) -> None:
        self._sender, self._point = sender, point
        self.name, self.has_look_up = sender.name, sender.has_look_up
        self.settle_seconds, self.call_seconds = sender.settle_seconds, sender.call_seconds

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        if self._point.name == "before_send":
            await self._point.stop_here(message.delivery_id)
        receipt = await self._sender.send(message, last_check)
        if self._point.name == "after_send":
            await self._point.stop_here(message.delivery_id)
        return receipt

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        return await self._sender.look_up(delivery_id)


def stopping_billing(open_billing: OpenBilling, point: Point) -> OpenBilling:
    """Return how the real account is opened, around whose charge this process can stop."""

    @asynccontextmanager
    async def opened(source_id: str) -> AsyncIterator[BillingProvider]:
        async with open_billing(source_id) as provider:
            collect = provider.collect

            async def stopping(invoice_key: str, delivery_id: str) -> PaymentResult:
                if point.name == "before_charge":
                    await point.stop_here(delivery_id)
                result = await collect(invoice_key, delivery_id)
                if point.name == "after_charge":
                    await point.stop_here(delivery_id)
                return result

            provider.collect = stopping  # type: ignore[method-assign]  # for this process alone
            yield provider

    return opened


class _StopAfterActivity(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, point: Point) -> None:
        super().__init__(following)
        self._point = point

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        result = await super().execute_activity(input)
        if input.fn.__name__ == self._point.name.removeprefix("after_"):
            await self._point.stop_here(str(input.args[0].seq))
        return result


class StopAfterActivity(client.Interceptor, Interceptor):
    """Stops after an activity has committed and before Temporal hears of it."""

    def __init__(self, point: Point) -> None:
        self._point = point

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _StopAfterActivity(next, self._point)


class StoppingRelay(Relay):
    """Stops between the claim of a ring and its signal."""

    def __init__(self, database: Database, clock: Clock, connected: Client, point: Point) -> None:
        super().__init__(database, clock, connected)
        self._point = point

    async def _ring(self, customer_id: uuid.UUID, tier: str) -> uuid.UUID | None:  # noqa: ARG002 - the relay tells more
        await self._point.stop_here(str(customer_id))
        return None


async def work_until(told: Told, stop_at: str, given: dict[str, Any], queues: Sequence[str] = QUEUES) -> None:
    """Run a worker with these settings that stops at a point, or never for another word."""
    point, settings = Point(stop_at, told), Settings.model_validate(given)
    database = Database(settings.database_url or "", pool_size=6)
    clock = await open_clock(database)
    fresh = asyncio.create_task(keep_fresh(clock, database))
    connected = await connect_temporal(settings)
    if point.name == "after_claim":
        await StoppingRelay(database, clock, connected, point).ring_all()
    config = connected.config()
    config["interceptors"] = [StopAfterActivity(point)]
    parts = build_parts(settings, database, clock)
    billing = stopping_billing(parts.open_billing, point)
    parts = replace(parts, sender=StoppingSender(parts.sender, point), open_billing=billing)
    async with contextlib.AsyncExitStack() as running:
        for queue in queues:
            await running.enter_async_context(build_worker(Client(**config), queue, parts, settings))
        await asyncio.Event().wait()
    fresh.cancel()
