"""Playing detectors back over facts, on a real Postgres."""

import pytest

from domain.scoring_policy import ScoringPolicy, SignalPolicy, Thresholds
from domain.signal_own import OwnSignalDocument
from domain.vocabulary import Segment, SignalKind
from models.database import Database
from models.signal_catalogue import load_catalogue, tune_signal, tuned
from models.signal_lift import measure_lift, read_lift
from models.signal_replay import preview
from tests.support.portfolio import NOW, Portfolio, ago

pytestmark = pytest.mark.integration
POLICY = ScoringPolicy()


async def with_invoices(database: Database) -> None:
    """Three customers; one pays twenty days late, one has been behind for half a year."""
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        ids = [await made.customer() for _ in range(3)]
        await made.invoice(ids[0], ago(45), paid_at=ago(25), paid_known_at=ago(25), status="paid")
        await made.invoice(ids[1], ago(180))


async def test_a_preview_tells_what_is_new_from_what_was_there_already(database: Database) -> None:
    await with_invoices(database)
    async with database.transaction() as session:
        seen = await preview(session, POLICY, (), NOW)
    fired = seen.fired["invoice_past_due"]
    assert (seen.sampled, seen.of, seen.snapshots) == (3, 3, 14)
    assert (fired.times, fired.customers, fired.already_open) == (1, 1, 1)


async def test_stricter_thresholds_fire_less_often_in_a_preview(database: Database) -> None:
    await with_invoices(database)
    late = Thresholds(open=40, close=0, severe=60)
    change = SignalPolicy(thresholds={Segment.MID_MARKET: late})
    policy = tuned(POLICY, SignalKind.INVOICE_PAST_DUE, change)
    async with database.transaction() as session:
        seen = await preview(session, policy, (), NOW)
    assert seen.fired["invoice_past_due"].times == 0


async def test_a_signal_of_ones_own_is_played_back_too(database: Database) -> None:
    await with_invoices(database)
    condition = {"all": [{"field": "past_due_days", "at_least": 5}, {"field": "segment", "is": "mid_market"}]}
    own = OwnSignalDocument(key="slow-payer", title="Pays slowly", condition=condition).read()
    async with database.transaction() as session:
        seen = await preview(session, POLICY, (own,), NOW)
    assert seen.fired["own:slow-payer"].times == 1


async def test_lift_weighs_who_left_and_says_nothing_of_too_few(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        for number in range(40):
            behind = number < 10
            left = number < 8 or number in {20, 21}
            churned = {"churned_at": ago(30), "churn_known_at": ago(30), "status": "churned"} if left else {}
            customer_id = await made.customer(**churned)
            if behind:
                await made.invoice(customer_id, ago(170))
    async with database.transaction() as session:
        await measure_lift(session, POLICY, (), NOW)
        measured = await read_lift(session)
    assert measured is not None
    late = measured.of("invoice_past_due")
    assert measured.customers == 40
    assert late is not None
    assert late.left < late.shown
    assert late.lift is not None
    assert late.lift > 2
    assert measured.of("usage_drop") is None


async def test_what_a_tenant_tunes_is_kept_and_what_is_default_is_not(database: Database) -> None:
    tighter = SignalPolicy(thresholds={Segment.SMALL: Thresholds(open=3, close=1, severe=5)})
    async with database.transaction() as session:
        await Portfolio(session).connect()
        await tune_signal(session, SignalKind.TICKET_OVERDUE, tighter, None, NOW)
        lines = {line.spec.kind: line for line in await load_catalogue(session)}
        assert lines[SignalKind.TICKET_OVERDUE].thresholds[Segment.SMALL].open == 3
        assert lines[SignalKind.TICKET_OVERDUE].is_tuned
        assert not lines[SignalKind.USAGE_DROP].is_tuned
        policy = await tune_signal(session, SignalKind.TICKET_OVERDUE, None, None, NOW)
    assert policy == POLICY
