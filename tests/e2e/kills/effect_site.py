"""A running stack with a simulated Stripe on its clock, whose runs and unpaid invoices a test begins."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from domain.calendar import Window
from domain.contact_policy import ContactPolicy
from domain.dunning_policy import DunningPolicy, Paydays, RetrySchedule
from domain.playbook import Playbook
from domain.vocabulary import Purpose
from integrations.simulators.control_client import SimulatorControl
from integrations.simulators.stripe.account import STRIPE_KEY, WEBHOOK_SECRET
from models.ciphers import Cipher
from models.clock import wall_now
from models.connections import Connection, save_connection
from models.contact_policy import save_contact_policy
from models.dunning_policies import save_dunning_policy
from models.sources import Source, connect_source
from settings import Settings
from tests.e2e.kills.portfolio import Portfolio
from tests.support.forked import forked
from tests.support.runs import one_letter, open_run, start_run
from tests.support.worker_at import work_until
from workers.bench.charge_load import Owed, owe
from workers.bench.effect_faults import break_charges
from workflows import policies

STRIPE = "stripe"
ALWAYS = Window(weekdays=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), opens="00:00", closes="23:59")
REFUSED = ("insufficient_funds",) * 3 + ("ok",)
"""The provider's own charge, then two of ours; the third of ours succeeds, and so would one too many."""
RETRIES_EACH = 3
QUEUE_OF = {"send": policies.EMAIL_QUEUE, "charge": policies.BILLING_QUEUE}


def bare_letter() -> Playbook:
    """Return a playbook of one letter that ends soon after it.

    It is no transactional one: of those, what nobody can tell of is sent again.
    """
    letter = {"template": "stay-in-touch", "to": ["champion"], "purpose": Purpose.LIFECYCLE.value}
    return one_letter(
        Purpose.LIFECYCLE,
        goal={"when": "steps_taken", "outcome": "no_change", "window": "20d"},
        steps=[{"id": "letter", "send_email": letter}, {"id": "rest", "wait": {"duration": "6h"}}],
    )


def quick_policy() -> DunningPolicy:
    """Return a policy that tries a card three times within six days, at any hour."""
    schedule = RetrySchedule(
        attempts=RETRIES_EACH,
        within_days=6,
        least_hours=4,
        hours=ALWAYS,
        public_holidays=False,
        paydays=Paydays(wait_days=0),
    )
    return DunningPolicy(retries=schedule, grace_days=1)


def at_any_hour() -> ContactPolicy:
    """Return a policy under which a letter may leave at any time."""
    return ContactPolicy(hours=(ALWAYS,), public_holidays=False)


@dataclass
class EffectSite:
    """Handles on the stack, on its simulators, and on what is still to begin."""

    settings: Settings
    portfolio: Portfolio
    control: SimulatorControl
    pace_seconds: float
    owed: list[Owed] = field(default_factory=list)
    begun: int = 0
    mail_news: str | None = None
    """Where the mail provider's events go."""

    async def connect(self, rate: float) -> None:
        """Connect Stripe, on business time; all webhooks come twice and out of order."""
        now, options = self.portfolio.clock.now(), {"retries": "everstay", "clock": "business"}
        connection = Connection(
            STRIPE,
            STRIPE,
            options | {"base_url": f"{self.settings.simulators_url}/stripe"},
            {"token": STRIPE_KEY, "webhook_secret": WEBHOOK_SECRET},
        )
        source = Source(STRIPE, "Stripe", STRIPE, ("customers", "subscriptions", "invoices"), now)
        async with self.portfolio.database.transaction() as session:
            await connect_source(session, source)
            await save_connection(session, connection, Cipher(self.settings.signing_key), wall_now())
            await save_dunning_policy(session, quick_policy(), None, now)
            await save_contact_policy(
                session, ContactPolicy(hours=(ALWAYS,), public_holidays=False), None, now
            )
        again: dict[str, Any] = {"webhook_duplicates": True, "webhook_out_of_order": True}
        await self.control.call("PUT", "/stripe/clock", {"at": now.isoformat(), "rate": rate})
        await self.control.call("PATCH", "/stripe/switches", again)
        await self.control.call("PATCH", "/switches", again)
        url = f"{self.settings.local_url}/webhooks/{STRIPE}"
        await self.control.call("PUT", "/stripe/webhook", {"url": url})
        self.mail_news = (await self.control.call("GET", "/"))["switches"]["webhook_url"]

    async def listen(self, *, is_on: bool) -> None:
        """Let the providers' news come; what they tell meanwhile is kept by Stripe, and lost by the other."""
        await self.control.call("PATCH", "/switches", {"webhook_url": self.mail_news if is_on else None})
        await self.control.call("PATCH", "/stripe/switches", {"webhook_held": not is_on})

    async def hide_mail(self) -> None:
        """Let the mail provider tell nothing, and answer no question about what it took."""
        await self.control.call("PATCH", "/switches", {"webhook_url": None, "look_up_enabled": False})

    async def tell_everything(self) -> None:
        """Listen again, and have the mail provider tell anew whatever it has ever told or not told."""
        await self.listen(is_on=True)
        await self.control.call("POST", "/webhooks/resend")

    async def all_is_told(self) -> bool:
        """Tell whether the mail provider has no news left for us."""
        waiting: int = (await self.control.call("GET", "/"))["webhooks_waiting"]
        return waiting == 0

    async def begin_runs(self, count: int) -> None:
        """Begin so many more runs of one letter, one after the other."""
        ready = self.portfolio.customers[self.begun : self.begun + count]
        self.begun += len(ready)
        for customer in ready:
            now = self.portfolio.clock.now()
            run = await open_run(self.portfolio.database, bare_letter(), customer, now)
            await start_run(self.portfolio.client, run)
            await asyncio.sleep(self.pace_seconds)

    async def owe(self, count: int) -> None:
        """Let so many charges be refused, and let our first one of each meet a fault."""
        found = await owe(self.control, f"Late {len(self.owed)}", count, REFUSED)
        await break_charges(self.control, found)
        self.owed += found

    async def kill_at(self, point: str) -> str:
        """Let a worker of its own take part until it comes to a point; kill it there, and say where it was.

        For a letter, runs begin meanwhile: a worker that gets nothing to do comes to no point.
        """
        settings = {
            "database_url": self.settings.database_url,
            "temporal_address": self.settings.temporal_address,
            "temporal_namespace": self.settings.temporal_namespace,
            "sendgrid_host": self.settings.simulators_url,
            "secret_key": self.settings.signing_key,
        }
        queue = QUEUE_OF[point.rpartition("_")[2]]
        with forked(work_until, point, settings, (queue,)) as doomed:
            reached = asyncio.create_task(doomed.reached())
            while not reached.done():
                await self.begin_runs(int(queue == policies.EMAIL_QUEUE))
                await asyncio.wait([reached], timeout=self.pace_seconds)
            doomed.kill()
            return reached.result()[0]
