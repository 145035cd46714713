"""What the page behind a letter offers, by how things stand."""

import datetime as dt
from dataclasses import replace

import pytest

from domain.billing import Collection, InvoiceEvidence, InvoiceStatus
from domain.billing_pages import InvoicePage, PageOffer, ReturnPage, Way, has_ended
from domain.time import BusinessInstant

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))
PAGE = InvoicePage(
    source_id="billing", invoice_key="in_1", customer_name="Acme", product_name="Northwind", number="R-1",
    status=InvoiceStatus.OPEN, collection=Collection.CHARGE, remaining_minor=120_00, currency="EUR",
    due_on=NOON.date(), is_customer=True, can_ask=True,
)  # fmt: skip
EVIDENCE = InvoiceEvidence(
    "in_1", "cus_1", InvoiceStatus.OPEN, Collection.CHARGE, "EUR", 120_00, 20_00, 100_00, NOON, NOON
)
BACK = ReturnPage("billing", "cus_1", "sub_1", "Acme", "Northwind", is_customer=False)


@pytest.mark.parametrize(
    ("change", "ways"),
    [
        ({}, (Way.PAY, Way.CARD)),
        ({"status": InvoiceStatus.UNCOLLECTIBLE}, (Way.PAY, Way.CARD)),
        ({"collection": Collection.TRANSFER}, (Way.PAY,)),
        ({"is_customer": False}, (Way.PAY,)),
        ({"status": InvoiceStatus.PAID}, (Way.CARD,)),
        ({"status": InvoiceStatus.PAID, "is_customer": False}, ()),
        ({"status": InvoiceStatus.VOID}, ()),
        ({"is_pending": True}, (Way.CARD,)),
        ({"can_ask": False}, ()),
    ],
)
def test_an_invoice_has_the_ways_that_make_sense(change: dict[str, object], ways: tuple[Way, ...]) -> None:
    assert replace(PAGE, **change).ways == ways  # type: ignore[arg-type]  # values are the case's


def test_what_the_provider_says_at_the_click_goes_before_what_we_knew() -> None:
    assert PAGE.as_seen(EVIDENCE).remaining_minor == 100_00
    assert PAGE.as_seen(replace(EVIDENCE, status=InvoiceStatus.PAID)).ways == (Way.CARD,)
    assert not PAGE.as_seen(replace(EVIDENCE, pending=True)).is_owed


@pytest.mark.parametrize("is_open", [True, False])
def test_only_an_offer_that_is_open_is_in_the_checkout(*, is_open: bool) -> None:
    page = replace(BACK, offer=PageOffer("10 % off", "BACK-1", "promo_1", None, is_open=is_open))
    assert (page.receipt is not None) is is_open
    assert page.ways == (Way.RETURN,)


@pytest.mark.parametrize("change", [{"is_customer": True}, {"source_id": None}])
def test_there_is_no_way_back_for_who_is_here_or_without_a_provider(change: dict[str, object]) -> None:
    assert replace(BACK, **change).ways == ()  # type: ignore[arg-type]  # values are the case's


def test_a_link_leads_to_its_page_for_180_days() -> None:
    written = dt.date(2026, 3, 4)
    assert not has_ended(written, written + dt.timedelta(days=180))
    assert has_ended(written, written + dt.timedelta(days=181))
