"""A billing provider in memory that makes discounts, and a customer who leaves and comes back."""
# ruff: noqa: ARG002 - the port names more than a test asks for

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import insert

from activities.cases import Motions
from activities.win_back import WinBackMotion
from domain.billing import (
    DiscountOrder,
    DiscountReceipt,
    FinalAction,
    InvoiceEvidence,
    PaymentResult,
    RecoveryLink,
)
from domain.case_vocabulary import CaseKind, CaseState
from domain.errors import PermanentProviderError
from domain.facts import SubscriptionFact
from domain.time import BusinessInstant
from domain.win_back_policy import WinBackPolicy
from models.tables.cases import CaseRow, CaseStepRow, WinBackRow
from models.tables.connections import ConnectionRow
from models.tables.runs import OfferRow
from models.win_back_policy import save_win_back_policy
from tests.support.facts import cancellation, subscription
from tests.support.loop import Loop
from tests.support.scenario import Scenario
from tests.support.simulators import until_true

BEGUN = BusinessInstant(dt.datetime(2024, 12, 2, tzinfo=dt.UTC))


@dataclass
class DiscountDesk:
    """Takes each delivery id once; nothing else is asked of it, and no look makes a page."""

    name: str = "desk"
    remembers_for: dt.timedelta = dt.timedelta(hours=23)
    orders: dict[str, DiscountOrder] = field(default_factory=dict)
    receipts: dict[str, DiscountReceipt] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)
    refuses: bool = False
    """It makes no discounts."""
    disputed: bool = False

    async def check(self) -> str:
        return "it may do everything"

    async def grant(self, order: DiscountOrder) -> DiscountReceipt:
        if self.refuses:
            raise PermanentProviderError(provider=self.name, reason="coupons are switched off")
        number = len(self.orders) + 1
        self.orders.setdefault(order.delivery_id, order)
        return self.receipts.setdefault(
            order.delivery_id, DiscountReceipt(f"promo_{number}", f"BACK-{number}")
        )

    async def find_grant(self, customer_key: str, delivery_id: str) -> DiscountReceipt | None:
        order = self.orders.get(delivery_id)
        return self.receipts[delivery_id] if order and order.customer_key == customer_key else None

    async def withdraw(self, receipt_key: str, delivery_id: str) -> None:
        self.withdrawn.append(receipt_key)

    async def reactivation_link(
        self,
        customer_key: str,
        subscription_key: str | None,
        discount: DiscountReceipt | None,
        return_url: str,
    ) -> RecoveryLink | None:
        raise AssertionError(customer_key)

    async def invoice(self, key: str) -> InvoiceEvidence | None:
        return None

    async def collect(self, invoice_key: str, delivery_id: str) -> PaymentResult:
        raise AssertionError(invoice_key)

    async def find_collection(self, invoice_key: str, since: BusinessInstant) -> PaymentResult | None:
        return None

    async def update_link(self, customer_key: str, return_url: str) -> RecoveryLink:
        return RecoveryLink(return_url)

    async def end_subscription(self, key: str, action: FinalAction, delivery_id: str, reason: str) -> None:
        raise AssertionError(key)

    async def write_off(self, invoice_key: str, delivery_id: str) -> None:
        raise AssertionError(invoice_key)

    def use(self) -> None:
        """Let the customer use what was made last."""
        delivery_id = list(self.receipts)[-1]
        self.receipts[delivery_id] = replace(self.receipts[delivery_id], is_redeemed=True)

    @asynccontextmanager
    async def open(self, _source_id: str) -> AsyncIterator["DiscountDesk"]:
        """Open the account, as a worker does."""
        yield self

    def motions(self, loop: Loop) -> Motions:
        """Return what handles lost customers in the loop."""
        motion = WinBackMotion(loop.database, loop.clock, self.open)
        return {CaseKind.WIN_BACK: motion}


def had(**told: object) -> SubscriptionFact:
    """Return what they had since 2024, or how it ended."""
    begun = {"known_at": BEGUN, "started_at": BEGUN, "mrr_minor": 400_000}
    return subscription("sub_1", **begun | told)


@dataclass
class Lost:
    """A customer that leaves and may come back, at a desk."""

    loop: Loop
    scene: Scenario
    desk: DiscountDesk
    billing_months: int | None = None
    """For so many months one bill of theirs is."""

    async def leave(self, *, involuntary: bool = True, reason: str = "other", after: float = 1 / 24) -> None:
        """Let a little time pass and the customer leave, as the CRM tells it."""
        await self.loop.pass_time(dt.timedelta(days=after))
        now = self.loop.clock.now()
        gone = cancellation(
            f"gone-{now:%Y%m%d}", known_at=now, occurred_at=now, reason=reason, involuntary=involuntary
        )
        ended = {"ended_at": now, "ended_known_at": now, "billing_months": self.billing_months}
        await self.scene.hear(gone, had(**ended, status="canceled"), now=now)
        await self.loop.ring()
        await self.loop.decided(self.scene.customer_id)
        await self.loop.ring()
        await self.loop.pass_time(dt.timedelta(minutes=5))

    async def live(self, days: float) -> None:
        """Let days pass, half a day at a time; the next one begins when the case has looked at the last."""
        for _ in range(round(days * 2)):
            await self.loop.live(0.5)
            await until_true(self._has_looked)

    async def _has_looked(self) -> bool:
        now, case = self.loop.clock.now(), await self.case()
        is_waiting = case.expected_wake_at is not None and case.expected_wake_at > now
        return case.state is CaseState.ENDED or is_waiting

    async def come_back(self, key: str = "again") -> None:
        """Let them subscribe again, as the CRM tells it."""
        now = self.loop.clock.now()
        begun = subscription(key, known_at=now, started_at=now, mrr_minor=400_000)
        await self.scene.hear(begun, now=now)
        await self.loop.ring()
        await self.loop.pass_time(dt.timedelta(minutes=5))

    async def case(self) -> CaseRow:
        (row,) = await self.scene.rows(CaseRow)
        assert isinstance(row, CaseRow)
        return row

    async def win_back(self) -> WinBackRow:
        (row,) = await self.scene.rows(WinBackRow)
        assert isinstance(row, WinBackRow)
        return row

    async def offers(self) -> list[OfferRow]:
        return sorted(await self.scene.rows(OfferRow), key=lambda row: row.proposed_at)

    async def steps(self) -> dict[str, CaseStepRow]:
        return {f"{row.step}/{row.occurrence}": row for row in await self.scene.rows(CaseStepRow)}

    @property
    def letters(self) -> list[str]:
        """The templates of what was sent, in order."""
        return [message.subject for message in self.loop.sender.accepted]


async def begin_lost(
    loop: Loop,
    desk: DiscountDesk,
    policy: WinBackPolicy,
    bill_months: int | None = None,
    **customer: object,
) -> Lost:
    """Return a customer of a connected billing account, with a subscription for more than a year."""
    scene = await Scenario(loop.database, loop.clock.now()).begin(**customer)  # type: ignore[arg-type]  # values are the test's
    async with loop.database.transaction() as session:
        await session.execute(
            insert(ConnectionRow).values(
                source_id="crm", provider="stripe", options={}, secrets=b"", created_at=loop.clock.wall_now()
            )
        )
        await save_win_back_policy(session, policy, None, loop.clock.now())
    await scene.hear(had(billing_months=bill_months), now=scene.now)
    await loop.ring()
    await loop.decided(scene.customer_id)
    return Lost(loop, scene, desk, bill_months)
