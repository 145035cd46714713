"""The effect ledger beside the bare provider, under faults, and when it is told to stop."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from domain.billing import Retries
from domain.errors import EverstayError
from integrations.simulators.control_client import SimulatorControl
from integrations.simulators.stripe.account import STRIPE_KEY
from integrations.stripe_billing import StripeBilling
from integrations.stripe_http import StripeAccount
from models.bench_effects import add_quiet_cases, written_of
from models.clock import load_timeline, open_clock
from models.database import Database
from settings import Settings
from workers.bench.charge_load import REFUSED_AGAIN, Owed, Till, owe
from workers.bench.charge_load import STEP as CHARGE
from workers.bench.effect_faults import Tally, break_charges, break_mail, tally
from workers.bench.effect_load import AT_ONCE, RememberingSender, Spent, send_bare, send_letters
from workers.bench.effect_load import STEP as LETTER
from workers.bench.homes import bench_home
from workers.bench.payment_stops import Office
from workers.bench.portfolio import Bench, add_customers, prepare
from workers.bench.recovery import recovery_of
from workers.bench.report import Report, percentile
from workers.bench.until import until_heard
from workers.embedded.connection import connect_temporal
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import locate
from workers.registry import Parts, build_parts

SHORT_SECONDS = 2.0
"""Patience with a provider that hangs, where it is made to."""
PAYMENT = "payment"
Say = Callable[[str], None]


class RealProviderError(EverstayError):
    """The settings name a real mail account; unset EVERSTAY_SENDGRID_API_KEY, _SENDGRID_HOST, _SMTP_URL."""


@dataclass(frozen=True)
class EffectsOptions:
    """How much is sent, charged, broken, stopped and simulated."""

    letters: int = 400
    charges: int = 150
    faulty: int = 105
    """So many letters, and as many charges, meet a fault each."""
    stops: int = 40
    cards: int = 1_000
    seeds: int = 3


@dataclass
class Measured:
    """What was timed and counted."""

    sends: Spent
    bare_sends: Spent
    charges: Spent
    bare_charges: Spent
    mail: Tally
    tills: Tally
    stops: list[float] = field(default_factory=list)


def bench_effects(settings: Settings, options: EffectsOptions, say: Say) -> Report:
    """Start a stack in a home of its own, send, charge, break and pay, and take it all away again."""
    began = time.perf_counter()
    with bench_home(settings) as home:
        if not home.mails_to_simulator:
            raise RealProviderError
        start_detached(home, say, auto_ports=True)
        try:
            measured = asyncio.run(_measure(locate(home), options, say))
        finally:
            stop_running(home)
    say(f"trying {options.cards} simulated cards of each kind")
    recovery = recovery_of(options.cards, range(1, options.seeds + 1))
    return _report(measured, recovery, options, time.perf_counter() - began)


async def _measure(settings: Settings, options: EffectsOptions, say: Say) -> Measured:
    async with AsyncExitStack() as open_now:
        database = Database(settings.database_url or "", pool_size=20)
        open_now.push_async_callback(database.close)
        clock, client = await open_clock(database), await connect_temporal(settings)
        site = _Site(settings, Bench(database, clock, client), options, say)
        site.control = await open_now.enter_async_context(SimulatorControl(settings.simulators_url))
        await prepare(site.bench, [], [], clock.now(), 1.0)
        await site.control.call("PATCH", "/switches", {"webhook_url": None})
        return await site.measure(open_now)


@dataclass
class _Site:
    """The stack, and how far the measurement is."""

    settings: Settings
    bench: Bench
    options: EffectsOptions
    say: Say
    control: SimulatorControl = field(init=False)

    async def measure(self, open_now: AsyncExitStack) -> Measured:
        parts = build_parts(self.settings, self.bench.database, self.bench.clock)
        till = await self._till(open_now, StripeAccount(STRIPE_KEY, f"{self.settings.simulators_url}/stripe"))
        self.say(f"sending {self.options.letters} letters with the ledger, and as many without")
        sends, bare_sends = await self._send(parts)
        self.say(f"charging {self.options.charges} invoices with the ledger, and as many without")
        charges, bare_charges = await self._charge(till)
        self.say(f"sending {self.options.faulty} letters to a provider that misbehaves")
        mail = await self._send_under_faults()
        self.say(f"charging {self.options.faulty} invoices at a provider that misbehaves")
        tills = await self._charge_under_faults(open_now)
        self.say(f"{self.options.stops} customers pay what they owe")
        stops = await self._stop()
        return Measured(sends, bare_sends, charges, bare_charges, mail, tills, stops)

    async def _cases(self, name: str, count: int, step: str, kind: str) -> dict[str, uuid.UUID]:
        """Add customers with a case each that nobody looks after; return the cases by customer."""
        found = await add_customers(self.bench, [f"{name}-{number}" for number in range(count)])
        await until_heard(self.bench)
        async with self.bench.database.transaction() as session:
            now = self.bench.clock.now()
            cases = await add_quiet_cases(session, list(found.values()), step, kind, now)
        return dict(zip(found, cases, strict=True))

    async def _till(self, open_now: AsyncExitStack, account: StripeAccount) -> Till:
        async with self.bench.database.transaction() as session:
            timeline = await load_timeline(session)
        assert timeline is not None  # noqa: S101 - the clock was set before
        billing = StripeBilling(account, timeline, Retries.EVERSTAY)
        open_now.push_async_callback(billing.close)
        return Till(self.bench.database, self.bench.clock, billing)

    async def _send(self, parts: Parts) -> tuple[Spent, Spent]:
        found = await self._cases("letter", AT_ONCE + self.options.letters, LETTER, "letter")
        cases = list(found.values())
        await send_letters(parts, cases[:AT_ONCE])  # templates are compiled, connections are made
        remembering = RememberingSender(parts.sender)
        sends = await send_letters(replace(parts, sender=remembering), cases[AT_ONCE:])
        return sends, await send_bare(parts.sender, remembering.handed)

    async def _charge(self, till: Till) -> tuple[Spent, Spent]:
        count = AT_ONCE + self.options.charges
        cases = list((await self._cases("charge", count, CHARGE, PAYMENT)).values())
        owed = await owe(self.control, "Bench", count + self.options.charges)
        await till.charge(cases[:AT_ONCE], owed[:AT_ONCE])  # connections are made
        charges = await till.charge(cases[AT_ONCE:], owed[AT_ONCE:count])
        return charges, await till.charge_bare(owed[count:])

    async def _send_under_faults(self) -> Tally:
        short = self.settings.model_copy(update={"email_timeout_seconds": 2 * SHORT_SECONDS})
        parts = build_parts(short, self.bench.database, self.bench.clock)
        cases = await self._cases("shaky", self.options.faulty, LETTER, "letter")
        await break_mail(self.control, [f"ann@{name}." for name in cases])
        await send_letters(parts, list(cases.values()), at_once=self.options.faulty)
        async with self.bench.database.transaction() as session:
            written = await written_of(session, list(cases.values()))
        taken = Counter(await self.control.deliveries())
        return tally(self.options.faulty, written, taken, [one.delivery_id for one in written])

    async def _charge_under_faults(self, open_now: AsyncExitStack) -> Tally:
        address = f"{self.settings.simulators_url}/stripe"
        till = await self._till(open_now, StripeAccount(STRIPE_KEY, address, timeout_seconds=SHORT_SECONDS))
        cases = await self._cases("owing", self.options.faulty, CHARGE, PAYMENT)
        owed = await owe(self.control, "Shaky", self.options.faulty, REFUSED_AGAIN)
        await break_charges(self.control, owed)
        await till.charge(list(cases.values()), owed, at_once=self.options.faulty)
        return await self._tally_charges(list(cases.values()), owed)

    async def _tally_charges(self, cases: Sequence[uuid.UUID], owed: Sequence[Owed]) -> Tally:
        async with self.bench.database.transaction() as session:
            written = await written_of(session, cases)
        invoices = {str(case): one.invoice for case, one in zip(cases, owed, strict=True)}
        first = Counter(invoices.values())
        taken = Counter(await self.control.charges()) - first
        return tally(len(owed), written, taken, [invoices[one.case_id] for one in written])

    async def _stop(self) -> list[float]:
        office = Office(self.settings, self.bench.database, self.control)
        await office.connect(self.bench.clock.now())
        cases = await office.open_cases(self.options.stops)
        await until_heard(self.bench)
        return await office.pay_each(cases)


def _report(
    measured: Measured, recovery: dict[str, Any], options: EffectsOptions, wall_seconds: float
) -> Report:
    both = (measured.mail, measured.tills)
    figures = {
        "sends_per_second": measured.sends.per_second,
        "charges_per_second": measured.charges.per_second,
        "stop_after_payment_p50_ms": round(percentile(measured.stops, 0.5), 1),
        "stop_after_payment_p95_ms": round(percentile(measured.stops, 0.95), 1),
        "duplicates": sum(one.duplicates for one in both),
        "lost": sum(one.lost for one in both),
        "uncertain": sum(one.uncertain for one in both),
        "under_faults": {"letters": measured.mail.document(), "charges": measured.tills.document()},
        "recovery": recovery,
    }
    limits = {
        "provider_sends_per_second": measured.bare_sends.per_second,
        "provider_charges_per_second": measured.bare_charges.per_second,
    }
    ratios = {
        "of_provider": round(measured.sends.per_second / measured.bare_sends.per_second, 3),
        "of_provider_charges": round(measured.charges.per_second / measured.bare_charges.per_second, 3),
    }
    return Report("effects", asdict(options), figures, limits, ratios, wall_seconds)
