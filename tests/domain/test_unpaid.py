"""Which unpaid invoices get a case, and when the director looks again for the next."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.customer_state import CustomerState, DirectorPolicy, Memory
from domain.directives import OpenDunning
from domain.director import decide
from domain.time import BusinessInstant, after, business
from domain.unpaid import UnpaidInvoice
from domain.vocabulary import CustomerStatus, TouchTier

NOW = business(datetime(2026, 3, 2, 8, tzinfo=UTC))
DAY = timedelta(days=1)
POLICY = DirectorPolicy((), dict.fromkeys(TouchTier, 30), remind_before=3 * DAY)
STATE = CustomerState(
    uuid.UUID(int=1), CustomerStatus.ACTIVE, TouchTier.MANAGED, None, None,
    holdout=False, do_not_contact=False, is_observed=False, renewal_on=None, started_at=None,
    last_touch_at=None, watchlisted_at=None,
)  # fmt: skip


def owed(due_in: int, *, issued: int = 0, refused: int = 0) -> UnpaidInvoice:
    issued_at = after(NOW, issued * DAY)
    return UnpaidInvoice(uuid.UUID(int=7), issued_at, after(NOW, due_in * DAY), refused, 120_00, "USD")


def rule(*unpaid: UnpaidInvoice, **state: object) -> tuple[list[str], BusinessInstant | None]:
    seen = replace(STATE, unpaid=unpaid, **state)  # type: ignore[arg-type]  # values are the test's
    ruling = decide(seen, (), POLICY, Memory(), NOW)
    opened = [one.sentence for one in ruling.directives if isinstance(one, OpenDunning)]
    return opened, ruling.next_look


def test_a_refused_charge_opens_a_case_at_once() -> None:
    assert rule(owed(0, refused=1))[0] == ["A charge of $120 was refused (1 attempt)."]


@pytest.mark.parametrize(("due_in", "opens_in"), [(14, 11), (4, 1)])
def test_an_invoice_with_a_term_waits_for_its_first_reminder(due_in: int, opens_in: int) -> None:
    assert rule(owed(due_in)) == ([], after(NOW, opens_in * DAY))


def test_an_invoice_with_a_term_opens_its_case_before_it_is_due() -> None:
    assert rule(owed(3))[0] == ["An invoice over $120 is due on 05 March 2026 and not paid."]


def test_an_invoice_that_was_just_issued_is_left_to_its_first_charge() -> None:
    assert rule(owed(0)) == ([], after(NOW, DAY))
    assert len(rule(owed(-1, issued=-1))[0]) == 1


def test_what_a_customer_owes_who_has_left_is_asked_for_all_the_same() -> None:
    assert len(rule(owed(0, refused=2), status=CustomerStatus.CHURNED)[0]) == 1
