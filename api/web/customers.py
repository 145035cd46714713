"""One customer: what we think and why, what happened, what runs, and why we did or did not."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template
from markupsafe import Markup

from api.guards import needs
from api.web import case_words, charts, sentences
from api.web.charts import Point
from api.web.desk import DESK, Desk
from api.web.judgement import VIEWS
from api.web.query import ListAddress, chosen, text
from domain.attention import attention_for
from domain.permissions import Permission
from domain.stances import Forecast
from domain.vocabulary import Attention, HealthStatus, InterventionState
from models.resting import rests_now
from models.run_requests import requests_of, startable
from models.send_claims import SENTENCES
from models.views.cases import load_cases_of
from models.views.contact_budget import ContactBudgetView, load_contact_budget
from models.views.customer import (
    CustomerContact,
    CustomerPage,
    CustomerSignal,
    load_contacts,
    load_customer,
    load_signals,
)
from models.views.judgement import Judgement, load_judgement
from models.views.portfolio import Trend
from models.views.runs import RunFilter, RunLine, load_runs
from models.views.timeline import EntryKind, Timeline, load_timeline


@dataclass(frozen=True)
class CustomerView:
    """Everything that the template shows."""

    customer: CustomerPage
    trend: Trend | None
    contacts: Sequence[CustomerContact]
    signals: Sequence[CustomerSignal]
    runs: Sequence[RunLine]
    timeline: Timeline
    kinds: tuple[EntryKind, ...]
    address: ListAddress
    attention: tuple[Attention, str]
    budget: ContactBudgetView
    judgement: Judgement

    @property
    def open_runs(self) -> list[RunLine]:
        """Runs that go on or wait."""
        return [run for run in self.runs if run.state is not InterventionState.ENDED]

    @property
    def past_runs(self) -> list[RunLine]:
        """Runs that ended, newest first."""
        return [run for run in self.runs if run.state is InterventionState.ENDED]

    @property
    def days(self) -> list[tuple[dt.date, int, int]]:
        """The trend as a table: day, churn risk score, health score; newest first."""
        if self.trend is None:
            return []
        both = enumerate(zip(self.trend.risks, self.trend.healths, strict=True))
        return [(self.trend.since + dt.timedelta(days=place), *pair) for place, pair in both][::-1]

    @property
    def chart(self) -> Markup:
        """Churn risk and health of 30 days, with signals and runs as marks."""
        days = self.days[::-1]
        marks = [(signal.opened_at.date(), signal.title) for signal in self.signals]
        marks += [(run.started_at.date(), f"{run.playbook} started") for run in self.runs if run.started_at]
        risks = [Point(day, risk) for day, risk, _ in days]
        healths = [Point(day, health) for day, _, health in days]
        title = "Trend of 30 days"
        if days:
            title = (
                f"Churn risk went from {days[0][1]} to {days[-1][1]} of 100 in 30 days (high is bad); "
                f"health from {days[0][2]} to {days[-1][2]} of 100 (high is good)"
            )
        return charts.risk_chart(risks, healths, marks, title)


class CustomerController(Controller):
    """The page of one customer."""

    path = "/customers"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/{customer_id:uuid}")
    async def show(self, desk: NamedDependency[Desk], customer_id: FromPath[uuid.UUID]) -> Template:
        """Show everything about one customer; `kind` filters the story, `before` goes back in it."""
        kinds = chosen(desk.query, "kind", EntryKind)
        before = text(desk.query, "before") or None
        async with desk.reading() as session:
            customer = await load_customer(session, customer_id, desk.now)
            runs = await load_runs(session, RunFilter(customer=customer_id), desk.now)
            view = CustomerView(
                customer=customer,
                trend=customer.trend,
                contacts=await load_contacts(session, customer_id),
                signals=await load_signals(session, customer_id),
                runs=runs.runs,
                timeline=await load_timeline(session, customer_id, kinds, before, desk.now),
                kinds=kinds,
                address=ListAddress(f"/customers/{customer_id}", {"kind": [kind.value for kind in kinds]}),
                attention=attention_for(customer.policy, customer.standing, desk.now.date()),
                budget=await load_contact_budget(session, customer_id, desk.now),
                judgement=await load_judgement(session, customer_id),
            )
            resting = [one for one in await rests_now(session, desk.now) if one.key == str(customer_id)]
            requests = await requests_of(session, customer_id)
            case_list = await load_cases_of(session, customer_id)
            playbooks = await startable(session) if desk.may(Permission.CONTROL_RUNS) else []
        return desk.page(
            "customer.html",
            view=view,
            sentences=sentences,
            kinds=EntryKind,
            statuses=HealthStatus,
            forecasts=Forecast,
            views=VIEWS,
            reasons=SENTENCES,
            resting=resting,
            requests=requests,
            case_list=case_list,
            cases=case_words,
            playbooks=playbooks,
            flash=text(desk.query, "said", 300),
            problem=text(desk.query, "problem", 500),
        )
