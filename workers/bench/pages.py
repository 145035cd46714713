"""How fast each page is, over HTTP, signed in, on a sample portfolio; the limit is its template alone."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from activities.customer_scoring import score_customers
from domain.vocabulary import Role
from integrations.page_timer import PageTimer, PageTiming
from ml.adapters import CatBoostModelReader
from models.clock import open_clock, wall_now
from models.database import Database
from models.scores import scorable_ids
from models.users import create_sign_in_link, list_users
from settings import Settings
from workers.bench.homes import bench_home
from workers.bench.report import Report, percentile
from workers.demo.options import DemoOptions
from workers.demo.seed import seed
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import locate

WARM_UP = 5
PAGES = ("/", "/?sort=arr", "/?q=a", "/inbox", "/runs", "/plan", "/playbooks", "/decisions")


@dataclass(frozen=True)
class PagesOptions:
    """How large the portfolio is, and how often each page is fetched."""

    customers: int = 300
    requests: int = 100


def bench_pages(settings: Settings, options: PagesOptions, say: Callable[[str], None]) -> Report:
    """Start a stack in a home of its own, fill it, fetch the pages, and take it all away again."""
    began = time.perf_counter()
    with bench_home(settings) as home:
        start_detached(home, say, auto_ports=True)
        try:
            running = locate(home)
            say(f"filling in {options.customers} customers")
            link = asyncio.run(_fill(running, options))
            timings = _measure(running, link, options, say)
        finally:
            stop_running(home)
    return _report(timings, options, time.perf_counter() - began)


async def _fill(settings: Settings, options: PagesOptions) -> str:
    """Store the sample portfolio, let it be scored, and return a sign-in link."""
    database = Database(settings.database_url or "", pool_size=4)
    try:
        await seed(database, DemoOptions(customers=options.customers, days=1))
        clock = await open_clock(database)
        async with database.transaction() as session:
            customers = await scorable_ids(session)
        await score_customers(database, clock, CatBoostModelReader(), customers)
        async with database.transaction() as session:
            users = await list_users(session)
            manager = next(user for user in users if user.role is Role.MANAGER)
            return await create_sign_in_link(session, manager.id, wall_now())
    finally:
        await database.close()


def _measure(
    settings: Settings, link: str, options: PagesOptions, say: Callable[[str], None]
) -> dict[str, list[PageTiming]]:
    with PageTimer(settings.local_url) as timer:
        timer.sign_in(link)
        pages = (*PAGES, *_one_customer(timer))
        found = {}
        for page in pages:
            say(f"fetching {page}")
            for _ in range(WARM_UP):
                timer.fetch(page)
            found[page] = [timer.fetch(page) for _ in range(options.requests)]
    return found


def _one_customer(timer: PageTimer) -> list[str]:
    listed: Any = timer.json("/api/customers?limit=1")
    return [f"/customers/{listed['items'][0]['id']}"]


def _report(timings: dict[str, list[PageTiming]], options: PagesOptions, wall_seconds: float) -> Report:
    named = {_name(page): found for page, found in timings.items()}
    limits = {
        name: round(statistics.median(one.render_ms for one in found), 2) for name, found in named.items()
    }
    figures = {name: _figures(found) for name, found in named.items()}
    ratios = {name: round(figures[name]["p50_ms"] / max(limits[name], 0.01), 2) for name in named}
    return Report(
        "pages",
        {"customers": options.customers, "requests": options.requests},
        figures,
        {"template_render_ms": limits},
        {"over_render": ratios},
        wall_seconds,
    )


def _name(page: str) -> str:
    return "/customers/{id}" if page.startswith("/customers/") else page


def _figures(found: list[PageTiming]) -> dict[str, float]:
    spent = [one.milliseconds for one in found]
    return {
        "p50_ms": round(percentile(spent, 0.5), 2),
        "p95_ms": round(percentile(spent, 0.95), 2),
        "p99_ms": round(percentile(spent, 0.99), 2),
        "kb": round(found[-1].kilobytes, 1),
        "queries": found[-1].queries,
    }
