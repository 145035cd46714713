"""A compressed installation with a simulated Stripe beside it, and two companies whose cards refuse."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import text, update

from domain.facts import ContactFact, CustomerFact, Fact
from domain.time import BusinessInstant, after
from domain.vocabulary import ContactRole, Purpose, Role
from integrations.simulators.stripe.account import STRIPE_KEY, WEBHOOK_SECRET
from models.clock import open_clock, start_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.installation import release
from models.sources import Source, connect_source
from models.tables.system import InstallationRow
from models.users import add_user
from settings import Settings
from tests.support.aside import aside
from tests.support.stack import everstay
from tests.workers.embedded.support import wait_until

MONDAY = BusinessInstant(dt.datetime(2027, 3, 1, 6, tzinfo=dt.UTC))
DAY, DAY_SECONDS = dt.timedelta(days=1), 6.0
RATE = DAY.total_seconds() / DAY_SECONDS
PATIENCE = 120.0
CRM = "crm"
EVERY_DAY = {
    "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "opens": "07:00",
    "closes": "20:00",
}
DUNNING = {
    "retries": {
        "attempts": 3,
        "within_days": 4,
        "hours": EVERY_DAY,
        "paydays": {"month_days": [], "last_working_day": False, "weekdays": [], "wait_days": 0},
    },
    "notices": {"after_days": [1, 2], "least_hours": 20, "per_week": 7},
    "grace_days": 1,
    "final_action": "cancel",
}
WIN_BACK = {"days": [1, 2, 3], "offer_from": 3, "holdout_share": 0.000001}
CONTACT = {"emails_per_week": 50, "emails_per_person_per_week": 50, "hours": [EVERY_DAY]}


@dataclass
class Story:
    """Handles on the stack from outside: its database, its API, and the simulators' control."""

    settings: Settings
    http: httpx.Client
    key: str = ""
    made: dict[str, dict[str, str]] = field(default_factory=dict)

    def begin(self) -> None:
        """Set the clock to a Monday, put the short policies in force, and connect Stripe."""
        self.control("POST", "/reset")
        aside(lambda: _prepare(self.settings))
        scopes = "customers:read,policies:write"
        self.key = everstay(self.settings, "keys", "create", "--kind", "api", "--scopes", scopes).strip()
        for name, policy in (("dunning", DUNNING), ("win-back", WIN_BACK), ("contact", CONTACT)):
            self.put_policy(name, policy)
        words = ["connect", "stripe", "--token-env", "TOKEN", "--webhook-secret-env", "PUSHED"]
        words += ["--base-url", f"{self.settings.simulators_url}/stripe", "--every", "1h"]
        words += ["--option", "retries=everstay", "--option", "clock=business"]
        everstay(self.settings, *words, TOKEN=STRIPE_KEY, PUSHED=WEBHOOK_SECRET)
        self.control("PUT", "/webhook", {"url": f"{self.settings.local_url}/webhooks/stripe"})
        wait_until(lambda: self.control("GET", "/")["clock"]["rate"] == RATE, "Stripe follows our clock")

    def put_policy(self, name: str, policy: dict[str, Any]) -> None:
        """Put a policy in force, as its owner does."""
        answer = self.http.put(
            f"{self.settings.local_url}/api/policies/{name}",
            json=policy,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        assert answer.is_success, answer.text

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Pull a string of the simulated Stripe."""
        url = f"{self.settings.simulators_url}/_control/stripe{path}"
        answer = self.http.request(method, url, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def owe(self, *names: str) -> None:
        """Have companies subscribe, and let the charge of their second month be refused for ever."""
        for name in names:
            card = {"results": ["insufficient_funds"]}
            order = {"name": name.title(), "email": f"billing@{name}.example", "amount": 40_000, "card": card}
            self.made[name] = self.control("POST", "/companies", order)
        self.until(
            lambda: self.one("SELECT count(DISTINCT customer_id) FROM subscriptions") == len(names),
            "all subscriptions are known",
        )
        for name in names:
            path = f"/subscriptions/{self.made[name]['subscription']}/next-invoice"
            self.made[name]["invoice"] = self.control("POST", path)["id"]

    def press(self, page: str) -> None:
        """Let the customer press the button of a page of Stripe's, with a card that pays."""
        answer = self.http.post(f"{page}/pay", data={"card": "pm_card_visa"}, follow_redirects=True)
        assert answer.is_success, answer.text
        assert 'role="alert"' not in answer.text, answer.text

    def lead(self, letter: dict[str, Any], way: str) -> str:
        """Let the customer open our page from a letter and press a button; return where it leads."""
        found = re.search(r"http\S+/billing/\S+", letter["text"])
        assert found is not None, letter["text"]
        shown = self.http.get(found[0])
        assert f'value="{way}"' in shown.text, shown.text
        answer = self.http.post(found[0], data={"way": way})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def charges(self, name: str) -> list[dict[str, Any]]:
        """Return what was tried for the unpaid invoice, by whomever."""
        return [
            one for one in self.control("GET", "/charges") if one["invoice"] == self.made[name]["invoice"]
        ]

    def mail(self, name: str) -> list[dict[str, Any]]:
        """Return what a company found in its mailbox, oldest first."""
        box = f"{self.settings.simulators_url}/_mailbox?to=ann@{name}.example&limit=100"
        found: list[dict[str, Any]] = self.http.get(box).json()["messages"]
        return found[::-1]

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """Return rows of our database."""

        async def ask() -> list[tuple[Any, ...]]:
            database = Database(self.settings.database_url or "", pool_size=1)
            try:
                async with database.transaction() as session:
                    return [tuple(row) for row in await session.execute(text(query), values)]
            finally:
                await database.close()

        return aside(ask)

    def one(self, query: str, **values: object) -> Any:
        """Return the only value of a query."""
        [(value,)] = self.rows(query, **values)
        return value

    def ending(self, name: str, kind: str) -> tuple[str, str | None]:
        """Return how a company's case of a kind stands, and its outcome."""
        query = """SELECT cases.state, cases.outcome FROM cases JOIN customers ON customers.id = customer_id
                   WHERE customers.external_id = :name AND cases.kind = :kind"""
        found = self.rows(query, name=name, kind=kind)
        return found[0] if found else ("none", None)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for what takes business days."""
        wait_until(holds, what, PATIENCE)


async def _prepare(settings: Settings) -> None:
    database = Database(settings.database_url or "", pool_size=1)
    try:
        await open_clock(database)
        kinds = ("customers", "contacts")
        async with database.transaction() as session:
            await start_clock(session, wall_now(), at=MONDAY, rate=RATE)
            await release(session, MONDAY, wall_now())
            await session.execute(update(InstallationRow).values(holdout_share=0))
            await connect_source(session, Source(CRM, "CRM", "test", kinds, MONDAY))
            boss = await add_user(session, "boss@everstay.example", "Mia Manager", Role.MANAGER, wall_now())
            await add_user(
                session, "carl@everstay.example", "Carl Careful", Role.CSM, wall_now(), manager_id=boss.id
            )
            facts = [fact for name in ("acme", "globex") for fact in _people(name)]
            result = await store_facts(session, CRM, facts, received_at=wall_now())
            assert not result.problems, result.problems
    finally:
        await database.close()


def _people(name: str) -> list[Fact]:
    known = after(MONDAY, -400 * DAY)
    customer = CustomerFact(
        key=name, known_at=known, name=name.title(), domain=f"{name}.example", time_zone="UTC",
        started_at=known, currency="EUR", csm_email="carl@everstay.example",
    )  # fmt: skip
    ann = ContactFact(
        key=f"{name}/ann", known_at=known, customer=name, name="Ann Able", email=f"ann@{name}.example",
        roles=(ContactRole.BILLING, ContactRole.CHAMPION), since=known, consents=tuple(Purpose),
    )  # fmt: skip
    return [customer, ann]
