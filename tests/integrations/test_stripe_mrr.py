"""What a subscription at Stripe brings a month, net of the discounts that go on, in both shapes."""

import json
from typing import Any

import pytest

from integrations.stripe_mrr import has_unread_discounts, priced_items
from tests.support.imports import shared_data

LATER, OVER = 2_000_000_000, 1_000_000_000
NOW = 1_500_000_000


def goes_on(ends: object) -> bool:
    return ends is None or int(str(ends)) > NOW


def item(amount: int, interval: str = "month", currency: str = "usd", **more: Any) -> dict[str, Any]:
    price = {"unit_amount": amount, "currency": currency, "recurring": {"interval": interval}}
    return {"id": f"si_{amount}", "price": {"id": "price_1", **price}, "quantity": 1, **more}


def coupon(**worth: Any) -> dict[str, Any]:
    return {"id": "co_1", "object": "coupon", "duration": "forever", **worth}


def new(end: int | None = None, **worth: Any) -> dict[str, Any]:
    """A discount as it is since 2025, with its coupon expanded."""
    source = {"type": "coupon", "coupon": coupon(**worth)}
    return {"id": "di_1", "object": "discount", "end": end, "source": source}


def old(end: int | None = None, **worth: Any) -> dict[str, Any]:
    """A discount as it was before."""
    return {"id": "di_1", "object": "discount", "end": end, "coupon": coupon(**worth)}


def brought(*items: dict[str, Any], **more: Any) -> list[int]:
    body = {"id": "sub_1", "items": {"data": list(items)}, **more}
    return [one.mrr_minor for one in priced_items(body, goes_on)]


TEN = {"percent_off": 10}


@pytest.mark.parametrize("shape", [new, old])
@pytest.mark.parametrize(
    ("discounts", "mrr"),
    [
        ([{"percent_off": 25}], 7_500),
        ([{"percent_off": 12.5}], 8_750),
        ([{"percent_off": 100}], 0),
        ([{"amount_off": 1_500, "currency": "usd"}], 8_500),
        ([{"amount_off": 15_000, "currency": "usd"}], 0),
        ([{"amount_off": 1_500, "currency": "eur"}], 10_000),
        ([{"percent_off": 25, "duration": "once"}], 10_000),
        ([{"percent_off": 25, "duration": "repeating", "end": LATER}], 7_500),
        ([{"percent_off": 25, "duration": "repeating", "end": OVER}], 10_000),
        ([{"percent_off": 20}, {"amount_off": 500, "currency": "usd"}], 7_500),
        ([{"amount_off": 500, "currency": "usd"}, {"percent_off": 20}], 7_600),
        ([{"percent_off": 33.333}], 6_667),
    ],
)
def test_running_discounts_are_taken_off_in_their_order(
    shape: Any, discounts: list[dict[str, Any]], mrr: int
) -> None:
    assert brought(item(10_000), discounts=[shape(**one) for one in discounts]) == [mrr]


def test_an_amount_is_off_each_bill_and_so_a_twelfth_of_it_off_each_month_of_a_year() -> None:
    off = new(amount_off=12_000, currency="usd")
    assert brought(item(120_000, "year"), discounts=[off]) == [9_000]
    assert brought(item(50_000, currency="isk"), discounts=[new(amount_off=5_000, currency="isk")]) == [450]


def test_an_amount_is_spread_over_items_by_what_they_cost() -> None:
    off = new(amount_off=1_000, currency="usd")
    assert brought(item(7_500), item(2_500), discounts=[off]) == [6_750, 2_250]


def test_an_items_own_discount_comes_before_that_of_its_subscription() -> None:
    reduced = item(10_000, discounts=[new(amount_off=2_000, currency="usd")])
    assert brought(reduced, item(1_000), discounts=[new(**TEN)]) == [7_200, 900]


def test_the_share_that_is_taken_off_is_kept_with_the_term() -> None:
    body = {"items": {"data": [item(10_000)]}, "discounts": [new(percent_off=12.5)]}
    assert [one.discount for one in priced_items(body, goes_on)] == [0.125]
    assert [one.discount for one in priced_items({**body, "discounts": []}, goes_on)] == [None]
    assert [one.discount for one in priced_items({"items": {"data": [item(0)]}}, goes_on)] == [None]


def test_an_account_of_the_older_shape_has_the_newest_discount_beside_the_ids() -> None:
    more = {"discount": old(**TEN), "discounts": ["di_1"]}
    assert brought(item(10_000), **more) == [9_000]
    assert not has_unread_discounts({"items": {"data": [item(10_000)]}, **more})
    assert has_unread_discounts({**more, "discounts": ["di_0", "di_1"]})


@pytest.mark.parametrize(
    ("body", "is_unread"),
    [
        ({}, False),
        ({"discounts": []}, False),
        ({"discounts": ["di_1"]}, True),
        ({"discounts": [new(**TEN)]}, False),
        ({"discounts": [new(**TEN) | {"source": {"type": "coupon", "coupon": "co_1"}}]}, True),
        ({"items": {"data": [item(1, discounts=["di_2"])]}}, True),
        ({"items": {"data": [item(1, discounts=[new(**TEN)])]}}, False),
    ],
)
def test_discounts_that_are_only_named_are_told_apart(body: dict[str, Any], *, is_unread: bool) -> None:
    assert has_unread_discounts(body) is is_unread


def test_what_stripe_publishes_is_understood() -> None:
    published = json.loads((shared_data("stripe-fixtures") / "fixtures3.json").read_text())["resources"]
    discount, worth = published["discount"], published["coupon"]
    named = {**published["subscription"], "discounts": [discount]}
    assert has_unread_discounts(named), "its coupon is not expanded"
    read = {**discount, "end": LATER, "source": {**discount["source"], "coupon": worth}}
    whole = {**named, "discounts": [read], "items": {"data": [item(10_000)]}}
    assert not has_unread_discounts(whole)
    assert [one.mrr_minor for one in priced_items(whole, goes_on)] == [7_450]
