"""A company that is looked after by the product's own pure rules: score, act, learn, week by week.

No Temporal, no database: the scorecard, the detectors, the director and the nightly report are those of the
product; what a run does is which care on which day (below); what care changes is in causes.py. The same luck
in a world that nobody looks after makes the two a pair.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from domain.customer_state import (
    CustomerState,
    DirectorPolicy,
    Driver,
    EndedRun,
    KnownPlaybook,
    Memory,
    OpenRun,
    OpenSignal,
)
from domain.dealing import Before, deal
from domain.directives import Directive, EndRun, StartRun, Withhold
from domain.director import decide
from domain.holdout import is_in_holdout
from domain.impact import DeclaredExperiment, TrialRow
from domain.risk import Scorecard
from domain.signals import HeldSignal, Outlook, Sighting, look
from domain.tier_changes import ActedTier, next_acted
from domain.time import BusinessInstant
from domain.trial_labels import Measure
from domain.trials import Trial
from domain.uplift import declared_uplift
from domain.vocabulary import (
    CustomerDate,
    CustomerStatus,
    InterventionState,
    Outcome,
    RiskTier,
    Segment,
)
from ml.impact import report
from ml.simulation.archetypes import Care
from ml.simulation.guided_plan import (
    EXPERIMENT,
    LEARN_WEEKS,
    POLICY,
    RUNS,
    START,
    STEP,
    WARM_UP_DAYS,
    Chance,
    Guided,
    GuidedPlan,
)
from ml.simulation.observed import Observed, instant
from ml.simulation.population import DRAWS, Population
from ml.simulation.portfolio import YEAR, Portfolio, SampleConfig, make_portfolio
from ml.simulation.trial_log import TrialLog
from ml.simulation.untreated import population_of


@dataclass
class Case:
    """What is kept of one customer between the weeks."""

    memory: Memory = field(default_factory=Memory)
    acted: ActedTier | None = None
    first_tier: RiskTier | None = None
    has_moved: bool = False
    scores: tuple[int, ...] = ()
    held: tuple[HeldSignal, ...] = ()
    opened: dict[uuid.UUID, BusinessInstant] = field(default_factory=dict)
    runs: dict[uuid.UUID, tuple[OpenRun, BusinessInstant]] = field(default_factory=dict)
    ended: dict[str, EndedRun] = field(default_factory=dict)
    is_first: bool = True
    next_look: BusinessInstant | None = None

    @property
    def is_calm(self) -> bool:
        """Tell whether nothing is open, and risk was low when it was last looked at."""
        is_low = self.acted is None or self.acted.tier is RiskTier.LOW
        return is_low and not (self.held or self.runs)

    def is_due(self, now: BusinessInstant) -> bool:
        """Tell whether the director wanted to look again by now."""
        return self.next_look is not None and self.next_look <= now


def lived(plan: GuidedPlan, playbooks: Sequence[KnownPlaybook], *, guided: bool = True) -> Guided:
    """Live a company for some days after a warm-up, looked after or not; luck depends on the seed alone."""
    return _Company(plan, playbooks, guided=guided).live()


class _Company:
    def __init__(self, plan: GuidedPlan, playbooks: Sequence[KnownPlaybook], *, guided: bool) -> None:
        config = SampleConfig(plan.customers, START, plan.days, plan.seed, preset=plan.preset)
        self.plan, self.guided = plan, guided
        self.portfolio: Portfolio = make_portfolio(config)
        self.population: Population = population_of(self.portfolio)
        self.observed = Observed(self.portfolio, self.population, plan.seed)
        self.cases = [Case() for _ in range(plan.customers)]
        self.scorecard = Scorecard(POLICY.risk)
        self.salt = f"salt-{plan.seed}"
        self.playbooks = [one for one in playbooks if one.document.key in RUNS]
        trial = Trial(self.salt, plan.global_share, plan.own_share)
        self.policy = DirectorPolicy(tuple(self.playbooks), {}, trial=trial)
        self.log = TrialLog(self.observed, self.population, START.toordinal())
        self.due: dict[int, list[tuple[int, Care, uuid.UUID]]] = defaultdict(list)
        self.shares: dict[str, dict[str, float]] = {}
        self.dealt: dict[tuple[str, uuid.UUID], Before] = {}
        self.runs = 0

    def live(self) -> Guided:
        config, random = self.portfolio.config, np.random.default_rng([self.plan.seed, 1])
        first = START.toordinal()
        renewals = np.array([one.renewal_on.toordinal() for one in self.portfolio.customers])
        opening = self.population.here
        for number in range(config.history_start.toordinal(), first + self.plan.days):
            if number == first:
                opening = self.population.here & (self.population.joined < first)
            past = number - renewals
            luck = random.random((self.plan.customers, DRAWS))
            self.population.live(number, luck, (past >= 0) & (past % YEAR == 0))
            if self.guided and number >= first - WARM_UP_DAYS:
                self._care(number)
                self._watch(number, number - first)
        left = np.where(self.population.here, np.inf, self.population.left_on - first)
        holdout = np.array([self._is_held_out(place) for place in range(self.plan.customers)])
        quiet = self.policy.trial.quiet if self.policy.trial is not None else frozenset()
        rows = tuple(self.log.rows(self.plan.days))
        ids = tuple(self.observed.ids)
        return Guided(left, opening, holdout, self.runs, rows, quiet, self.shares, ids)

    def _is_held_out(self, place: int) -> bool:
        share, tier = self.plan.global_share, self.observed.tier(place)
        return is_in_holdout(self.observed.ids[place], salt=self.salt, share=share, tier=tier)

    def _care(self, number: int) -> None:
        """Do what runs have due today, where the run goes on and the customer is still there."""
        for place, care, run_id in self.due.pop(number, []):
            if run_id in self.cases[place].runs and self.population.here[place]:
                mask = np.zeros(self.plan.customers, dtype=bool)
                mask[place] = True
                self.population.receive(mask, care)
                self.observed.touched(place, dt.date.fromordinal(number))

    def _watch(self, number: int, since: int) -> None:
        day = dt.date.fromordinal(number)
        self.observed.see_day(day)
        if since % 7:
            return
        self.observed.end_week()
        self.log.end_week(since)
        if since < 0:
            return
        if self.plan.learns and since and since % (7 * LEARN_WEEKS) == 0:
            self._learn(since)
        stirs = self.observed.stirs()
        for place, case in enumerate(self.cases):
            is_asked = stirs[place] or case.is_first or not case.is_calm or case.is_due(instant(day))
            if is_asked and self.observed.is_scored(place, day):
                self._look(place, case, day, since)

    def _look(self, place: int, case: Case, day: dt.date, since: int) -> None:
        now, features = instant(day), self.observed.features(place, day)
        risk = self.scorecard.assess(features)
        score = risk.churn_risk_score
        case.acted = next_acted(case.acted, score, case.scores, POLICY.risk, now)
        case.first_tier = case.first_tier or case.acted.tier
        case.has_moved = case.has_moved or case.acted.tier is not case.first_tier
        case.scores = (*case.scores, score)[-POLICY.risk.dwell_days :]
        was_first = case.is_first
        changes = look(features, Outlook(POLICY, is_first=case.is_first), case.held)
        case.held = _held(case, changes.opened, {one.id for one, _ in changes.resolved}, now)
        case.is_first = False
        self._end_runs(case, now)
        if case.acted.tier.rank < RiskTier.HIGH.rank and not (case.held or case.is_due(now) or was_first):
            return
        drivers = tuple(Driver(one.family, one.sentence, one.points) for one in risk.drivers)
        state = self._state(place, case, now, drivers, risk.churn_probability)
        ruling = decide(state, (), self.policy, case.memory, now)
        case.memory, case.next_look = ruling.memory, ruling.next_look
        for directive in ruling.directives:
            self._obey(place, case, directive, since, now, risk.churn_probability)

    def _state(
        self, place: int, case: Case, now: BusinessInstant, drivers: tuple[Driver, ...], probability: float
    ) -> CustomerState:
        assert case.acted is not None  # noqa: S101 - scored just before
        return CustomerState(
            customer_id=self.observed.ids[place],
            status=CustomerStatus.ACTIVE,
            touch_tier=self.observed.tier(place),
            tier=case.acted.tier,
            health_status=None,
            holdout=self._is_held_out(place),
            do_not_contact=False,
            is_observed=False,
            renewal_on=None,
            started_at=None,
            dates={CustomerDate.STARTED: instant(self.portfolio.customers[place].started_on)},
            last_touch_at=None,
            watchlisted_at=now,
            arr_minor=self.observed.arr_minor(place),
            drivers=drivers,
            signals=tuple(
                OpenSignal(one.id, one.kind, one.severity, one.title, case.opened[one.id], one.is_baseline)
                for one in case.held
            ),
            open_runs=tuple(run for run, _ in case.runs.values()),
            ended_runs=tuple(case.ended.values()),
            tier_is_baseline=not case.has_moved,
            churn_probability=probability,
            segment=self.observed.segment(place),
        )

    def _obey(
        self, place: int, case: Case, said: Directive, since: int, now: BusinessInstant, probability: float
    ) -> None:
        if isinstance(said, StartRun):
            self._start(place, case, said, since, now, probability)
        elif isinstance(said, EndRun) and said.intervention_id in case.runs:
            self._end(case, said.intervention_id, said.outcome, now)
        elif isinstance(said, Withhold):
            self._keep(place, now, Chance.of(said.playbook.document.key, said.assignment, probability))

    def _start(
        self, place: int, case: Case, said: StartRun, since: int, now: BusinessInstant, probability: float
    ) -> None:
        document = said.playbook.document
        run_id = uuid.uuid5(self.observed.ids[place], f"{document.key}/{since}")
        run = OpenRun(
            run_id, document.key, document.motion, document.priority, said.reason, InterventionState.RUNNING
        )
        case.runs[run_id] = run, now
        self.runs += 1
        if said.assignment is not None:
            self._keep(place, now, Chance.of(document.key, said.assignment, probability))
        variant = self._variant(place, document.key, now, probability)
        luck = Random(str(run_id))
        for step in RUNS[document.key][variant]:
            if luck.random() < step.chance:
                day = START.toordinal() + since + step.day
                self.due[day].append((place, step.care, run_id))

    def _variant(self, place: int, key: str, now: BusinessInstant, probability: float) -> str:
        if len(RUNS[key]) == 1:
            return ""
        customer = self.observed.ids[place]
        before = self.dealt.get((key, customer))
        found = deal(EXPERIMENT, f"{self.salt}/{key}/{customer}", self.shares.get(key), before)
        name = found.variant.name
        self.dealt[key, customer] = Before(name, found.propensity)
        self._keep(place, now, Chance(key, name, found.propensity, 0.0, probability, STEP))
        return name

    def _keep(self, place: int, now: BusinessInstant, chance: Chance) -> None:
        row = TrialRow(
            customer_id=self.observed.ids[place],
            playbook=chance.playbook,
            step=chance.step,
            arm=chance.arm,
            propensity=chance.propensity,
            global_share=chance.global_share,
            assigned_at=now,
            segment=self.observed.segment(place).value,
            probability=chance.probability,
            arr_minor=self.observed.arr_minor(place),
            currency="USD",
            good={},
        )
        usage = self.observed.features(place, now.date()).usage
        self.log.keep(row, place, (now.date() - START).days, usage)

    def _learn(self, today: int) -> None:
        """Do what a night does: report anew, and go by what it says from now on."""
        declared = [
            DeclaredExperiment(key, STEP, tuple(variants), Measure.RECOVERED, 0.1, is_measured=True)
            for key, variants in RUNS.items()
            if len(variants) > 1
        ]
        words = {
            one.document.key: declared_uplift(one.document.priority, one.document.assumed_uplift)
            for one in self.playbooks
        }
        found = report(list(self.log.rows(today)), declared, instant(START), words)
        parts = [(one.playbook, part) for one in found.playbooks for part in one.segments]
        quiet = frozenset((key, Segment(part.segment)) for key, part in parts if part.does_harm)
        uplifts = {
            (key, Segment(part.segment)): part.uplift for key, part in parts if part.uplift is not None
        }
        assert self.policy.trial is not None  # noqa: S101 - set when the company was founded
        self.policy = replace(self.policy, uplifts=uplifts, trial=replace(self.policy.trial, quiet=quiet))
        self.shares = {
            one.playbook: {each.variant: each.next_share for each in one.variants}
            for one in found.experiments
        }

    def _end_runs(self, case: Case, now: BusinessInstant) -> None:
        """End runs whose window is over, or whose cause has gone."""
        documents = {one.document.key: one.document for one in self.playbooks}
        calm = case.acted is not None and case.acted.tier.rank < RiskTier.HIGH.rank and not case.held
        for run_id, (run, began) in list(case.runs.items()):
            if calm:
                self._end(case, run_id, Outcome.SAVED, now)
            elif now - began >= documents[run.playbook_key].goal.window:
                self._end(case, run_id, Outcome.NO_CHANGE, now)

    def _end(self, case: Case, run_id: uuid.UUID, outcome: Outcome, now: BusinessInstant) -> None:
        run, _ = case.runs.pop(run_id)
        case.ended[run.playbook_key] = EndedRun(run.playbook_key, now, outcome, run.reason)


def _held(
    case: Case, opened: Sequence[Sighting], resolved: Collection[uuid.UUID], now: BusinessInstant
) -> tuple[HeldSignal, ...]:
    """Return the signals that hold from now on, with when each opened."""
    new = [
        HeldSignal(
            uuid.uuid5(uuid.NAMESPACE_OID, f"{one.key}/{now}"),
            one.kind,
            one.key,
            one.severity,
            one.title,
            one.evidence,
            one.is_baseline,
        )
        for one in opened
    ]
    kept = tuple(one for one in (*case.held, *new) if one.id not in resolved)
    case.opened = {one.id: case.opened.get(one.id, now) for one in kept}
    return kept
