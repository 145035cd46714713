"""The JSON of a demo run, and whether the run holds what it promises."""

import json
import time
from pathlib import Path
from typing import Any

from domain.time import start_of_day
from integrations.simulators.sendgrid.mailbox_client import MailboxClient
from integrations.simulators.stripe.payer_client import PayerClient
from ml.simulation.simulation import Simulation
from models import demo_report
from models.clock import StoredClock
from models.database import Database
from models.demo_payments import payment_figures
from models.retention import load_retained
from settings import Settings
from workers.demo.errors import LoggedError, logged_errors
from workers.demo.headline import ASSUMED, headline, known_headline
from workers.demo.histories import Failures, find_failures
from workers.demo.options import SOURCE, DemoOptions
from workers.embedded.connection import connect_temporal
from workers.internal_letters import INTERNAL

MOST_LATE_HOURS = 8.0


async def summarise(
    settings: Settings,
    database: Database,
    clock: StoredClock,
    simulation: Simulation,
    options: DemoOptions,
    began: float,
) -> dict[str, Any]:
    """Collect the summary while the stack still runs. `began` is monotonic."""
    failures = await find_failures(await connect_temporal(settings))
    logged = logged_errors(settings.home / "logs")
    async with MailboxClient(settings.simulators_url) as mailbox:
        internal = await mailbox.count_of(INTERNAL)
        mails = await mailbox.count() - internal
    async with PayerClient(settings.simulators_url) as stripe:
        invoices, money = await stripe.recovered()
    figures = await _from_database(database, clock, simulation, options)
    figures["payments"] |= {"provider_invoices_recovered": invoices, "provider_recovered_minor": money}
    return {
        **figures,
        "mailbox_emails": mails,
        "mailbox_internal_emails": internal,
        "failed_workflow_tasks": failures.workflow_tasks,
        "errors": len(logged) + failures.activities + failures.workflows,
        "error_examples": _examples(logged, failures),
        "truth": {**vars(simulation.truth()), "figures": known_headline(simulation)},
        "wall_seconds": round(time.monotonic() - began, 1),
    }


async def _from_database(
    database: Database, clock: StoredClock, simulation: Simulation, options: DemoOptions
) -> dict[str, Any]:
    end = simulation.next_day
    async with database.transaction() as session:
        rows = await demo_report.count_rows(session)
        late = await demo_report.lateness(session, clock)
        return {
            "customers": rows["customers"],
            "business_days": (end - options.start).days,
            "seed": options.seed,
            "preset": options.preset,
            "facts": await demo_report.count_facts(session, SOURCE),
            "signals": rows["signals"],
            "interventions": await demo_report.count_interventions(session),
            "emails": await demo_report.count_emails(session),
            "internal_emails": await demo_report.count_internal_emails(session),
            "tasks": rows["tasks"],
            "recalibrations": await demo_report.count_recalibrations(session),
            "refusals": await demo_report.count_refusals(session),
            "payments": await payment_figures(session),
            "headline": {
                **headline(await load_retained(session), start_of_day(options.start), start_of_day(end)),
                **await demo_report.active_after_risk(session, options.start, end),
            },
            "headline_rests_on": ASSUMED,
            "max_emails_per_customer_day": await demo_report.most_emails_per_customer_day(session),
            "nights_scored": rows["nights_scored"],
            "decisions": rows["decisions"],
            "advances": rows["advances"],
            "wakes": late.wakes,
            "wake_lateness_hours": {"p50": late.p50, "p95": late.p95, "p99": late.p99},
        }


def _examples(logged: list[LoggedError], failures: Failures) -> list[str]:
    return [f"{error.file}: {error.sentence}" for error in logged[:5]] + list(failures.examples)


def complaints(summary: dict[str, Any]) -> list[str]:
    """Return in words what a run did not hold; none for a good run."""
    paid = summary["payments"]
    late = summary["wake_lateness_hours"]["p99"]
    rules = (
        (summary["errors"] > 0, f"{summary['errors']} errors: {'; '.join(summary['error_examples'])}"),
        (summary["failed_workflow_tasks"] > 0, f"{summary['failed_workflow_tasks']} failed workflow tasks"),
        (late > MOST_LATE_HOURS, f"wakes were {late} business hours late at p99 (limit {MOST_LATE_HOURS})"),
        (
            summary["emails"] != summary["mailbox_emails"],
            f"{summary['emails']} e-mails sent, {summary['mailbox_emails']} in the mailbox",
        ),
        (
            summary["internal_emails"] != summary["mailbox_internal_emails"],
            f"{summary['internal_emails']} internal ones, {summary['mailbox_internal_emails']} arrived",
        ),
        (
            paid["recovered_minor"] != paid["provider_recovered_minor"],
            f"{paid['recovered_minor']} recovered in our books, {paid['provider_recovered_minor']} at Stripe",
        ),
        (
            summary["max_emails_per_customer_day"] > 1,
            f"a customer got {summary['max_emails_per_customer_day']} e-mails on one day",
        ),
    )
    return [sentence for is_broken, sentence in rules if is_broken]


def write_summary(summary: dict[str, Any], path: Path) -> None:
    """Write the summary as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary, indent=2, sort_keys=False) + "\n", encoding="utf-8")
