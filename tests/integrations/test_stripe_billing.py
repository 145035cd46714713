"""The adapter against a Stripe that answers what is written down, with the words of its real answers."""

import datetime as dt
from typing import Any

import pytest

from domain.billing import (
    BILLING_PROVIDERS,
    DiscountOrder,
    DiscountReceipt,
    FinalAction,
    PaymentMethod,
    Retries,
)
from domain.errors import InvalidInputError, PermanentProviderError, TransientProviderError
from domain.errors import UncertainDeliveryError as Uncertain
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from integrations.billing import OPENERS, open_billing
from integrations.stripe_billing import StripeBilling
from integrations.stripe_http import StripeAccount
from tests.support.stripe_answers import Reply, ScriptedStripe, billing_at, listed, missing, refused

pytestmark = pytest.mark.integration

PAY, READ = "POST /v1/invoices/in_1/pay", "GET /v1/invoices/in_1"
ISSUED = 1780000000
AT = BusinessInstant(dt.datetime.fromtimestamp(ISSUED, dt.UTC))
DAY = dt.timedelta(days=1)
CARD = {
    "id": "pm_1",
    "object": "payment_method",
    "type": "card",
    "card": {
        "brand": "visa",
        "last4": "0341",
        "country": "DE",
        "exp_month": 4,
        "exp_year": 2027,
        "fingerprint": "fp1",
    },
}


def invoice(**changes: Any) -> dict[str, Any]:
    return {
        "id": "in_1",
        "object": "invoice",
        "created": ISSUED,
        "customer": "cus_1",
        "currency": "eur",
        "status": "open",
        "collection_method": "charge_automatically",
        "amount_due": 5000,
        "amount_paid": 0,
        "amount_remaining": 5000,
        "attempt_count": 1,
        "hosted_invoice_url": "https://invoice.example/in_1",
        "parent": {"subscription_details": {"subscription": "sub_1"}},
        "status_transitions": {"finalized_at": ISSUED, "paid_at": None},
        "payments": {"object": "list", "data": [payment(intent())]},
        **changes,
    }


def payment(of: Any) -> dict[str, Any]:
    told = {"type": "payment_intent", "payment_intent": of}
    return {"id": "inpay_1", "object": "invoice_payment", "payment": told}


def intent(**changes: Any) -> dict[str, Any]:
    made = {"id": "pi_1", "object": "payment_intent", "created": ISSUED, "status": "requires_payment_method"}
    return {**made, **changes}


def charge(**changes: Any) -> dict[str, Any]:
    outcome = {"reason": "insufficient_funds", "advice_code": "try_again_later"}
    return {
        "id": "ch_1",
        "object": "charge",
        "created": ISSUED,
        "currency": "eur",
        "amount": 5000,
        "status": "failed",
        "failure_code": "card_declined",
        "outcome": outcome,
        "disputed": False,
        **changes,
    }


def paid(**changes: Any) -> dict[str, Any]:
    moments = {"finalized_at": ISSUED, "paid_at": ISSUED + 3600}
    done = intent(status="succeeded", amount_received=5000, latest_charge="ch_2")
    payments = {"object": "list", "data": [payment(done)]}
    return invoice(status="paid", amount_paid=5000, status_transitions=moments, payments=payments, **changes)


def subscription(**changes: Any) -> dict[str, Any]:
    item = {"id": "si_1", "price": {"id": "price_1", "recurring": {"usage_type": "licensed"}}, "quantity": 7}
    metered = {"id": "si_2", "price": {"id": "price_2", "recurring": {"usage_type": "metered"}}}
    return {
        "id": "sub_1",
        "object": "subscription",
        "created": ISSUED,
        "status": "past_due",
        "pause_collection": None,
        "default_payment_method": CARD,
        "items": {"object": "list", "data": [item, metered]},
        **changes,
    }


@pytest.fixture
def account() -> ScriptedStripe:
    """An account with one open invoice, whose card was declined once."""
    scripted = ScriptedStripe()
    scripted.on(READ, Reply(invoice()))
    scripted.on("GET /v1/subscriptions/sub_1", Reply(subscription()))
    scripted.on("GET /v1/customers/cus_1", Reply({"id": "cus_1", "object": "customer"}))
    scripted.on("GET /v1/charges", listed(charge()))
    return scripted


async def test_an_invoice_is_read_with_everything_around_it(account: ScriptedStripe) -> None:
    async with billing_at(account) as billing:
        found = await billing.invoice("in_1")
    assert found is not None
    assert (found.subscription_key, found.subscription_status) == ("sub_1", "past_due")
    assert found.method == PaymentMethod("fp1", "visa", "0341", "DE", (2027, 4))
    assert found.decline is not None
    assert (found.decline.code, found.decline.advice, found.decline.at) == (
        "insufficient_funds",
        "try_again_later",
        AT,
    )
    assert found.pay_url == "https://invoice.example/in_1"
    assert (found.is_disputed, found.is_paused, found.pending) == (False, False, False)


async def test_an_expanded_answer_needs_no_further_calls_and_the_old_shape_no_other_words(
    account: ScriptedStripe,
) -> None:
    parent = {"subscription_details": {"subscription": subscription()}}
    customer = {"id": "cus_1", "object": "customer"}
    old = {"subscription": "sub_1", "payment_intent": "pi_1", "charge": "ch_1"}
    account.on("GET /v1/payment_intents/pi_1", Reply(intent()))
    async with billing_at(account) as billing:
        by_ids = await billing.invoice("in_1")
        account.on(READ, Reply(invoice(parent=parent, customer=customer)))
        account.asked.clear()
        assert await billing.invoice("in_1") == by_ids
        assert [one.path for one in account.asked] == ["/v1/invoices/in_1", "/v1/charges"]
        body = {**invoice(**old), "parent": None, "payments": None}
        account.on(READ, Reply(body))
        assert await billing.invoice("in_1") == by_ids


async def test_what_is_under_way_disputed_or_partly_paid_is_said(account: ScriptedStripe) -> None:
    moving = invoice(amount_paid=2000, amount_remaining=3000, next_payment_attempt=ISSUED + 86400)
    moving["payments"]["data"] = [payment(intent(status="processing"))]
    account.on(READ, Reply(moving))
    account.on("GET /v1/charges", listed(charge(status="pending", disputed=True)))
    account.on("GET /v1/disputes", listed({"id": "dp_1", "object": "dispute", "status": "under_review"}))
    async with billing_at(account) as billing:
        found = await billing.invoice("in_1")
    assert found is not None
    assert (found.pending, found.is_disputed, found.paid_minor, found.remaining_minor) == (
        True,
        True,
        2000,
        3000,
    )
    assert found.next_attempt_at == AT + DAY


async def test_an_invoice_that_is_not_there_is_none(account: ScriptedStripe) -> None:
    account.on("GET /v1/invoices/in_3", Reply({"id": "in_3", "object": "invoice", "deleted": True}))
    async with billing_at(account) as billing:
        assert await billing.invoice("in_2") is None
        assert await billing.invoice("in_3") is None


async def test_a_charge_is_one_request_under_the_delivery_id(account: ScriptedStripe) -> None:
    account.on(PAY, Reply(paid()))
    async with billing_at(account) as billing:
        result = await billing.collect("in_1", "case/1/charge/1")
    assert (result.succeeded, result.key, result.amount_minor) == (True, "ch_2", 5000)
    assert result.at == AT + dt.timedelta(hours=1)
    (asked,) = account.told(PAY)
    assert asked.key == "case/1/charge/1"
    assert "payment_method" not in asked.form


async def test_a_declined_charge_is_a_result_in_the_words_of_provider_and_network(
    account: ScriptedStripe,
) -> None:
    told = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "advice_code": "try_again_later",
        "network_decline_code": "51",
        "network_advice_code": "02",
        "charge": "ch_9",
    }
    account.on(PAY, refused(402, "Your card has insufficient funds.", **told))
    async with billing_at(account) as billing:
        result = await billing.collect("in_1", "d1")
    assert (result.succeeded, result.needs_customer, result.pending, result.key) == (False,) * 3 + ("ch_9",)
    assert result.decline is not None
    assert (result.decline.code, result.decline.advice) == ("insufficient_funds", "try_again_later")
    assert (result.decline.network_code, result.decline.network_advice) == ("51", "02")


@pytest.mark.parametrize(
    "told",
    [
        {"code": "authentication_required", "decline_code": "authentication_required"},
        {"code": "invoice_payment_intent_requires_action"},
        {"code": "card_declined", "payment_intent": {"id": "pi_1", "status": "requires_action"}},
    ],
)
async def test_strong_authentication_needs_the_customer(account: ScriptedStripe, told: Any) -> None:
    account.on(PAY, refused(402, "This payment requires additional user action.", type="card_error", **told))
    async with billing_at(account) as billing:
        result = await billing.collect("in_1", "d1")
    assert (result.succeeded, result.needs_customer) == (False, True)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("processing", (False, True)),
        ("requires_action", (True, False)),
        ("requires_payment_method", (False, False)),
    ],
)
async def test_an_answer_that_is_not_paid_yet_is_under_way_or_asks_the_customer(
    account: ScriptedStripe, status: str, expected: tuple[bool, bool]
) -> None:
    told = invoice()
    told["payments"]["data"] = [payment(intent(status=status))]
    account.on(PAY, Reply(told))
    async with billing_at(account) as billing:
        result = await billing.collect("in_1", "d1")
    assert not result.succeeded
    assert (result.needs_customer, result.pending) == expected


async def test_an_invoice_that_is_paid_already_is_a_success(account: ScriptedStripe) -> None:
    account.on(PAY, refused(400, "Invoice is already paid", code="invoice_already_paid"))
    account.on(READ, Reply(paid()))
    async with billing_at(account) as billing:
        result = await billing.collect("in_1", "d1")
    assert (result.succeeded, result.amount_minor) == (True, 5000)


async def test_a_void_invoice_is_refused_for_good_in_stripes_own_words(account: ScriptedStripe) -> None:
    account.on(PAY, refused(400, "This invoice can no longer be paid.", param="invoice"))
    account.on(READ, Reply(invoice(status="void")))
    async with billing_at(account) as billing:
        with pytest.raises(PermanentProviderError, match=r"can no longer be paid \(parameter invoice\)"):
            await billing.collect("in_1", "d1")


LOCKED = refused(429, "This object cannot be accessed right now.", code="lock_timeout")
IN_USE = refused(409, "There is currently another in-progress request.", code="idempotency_key_in_use")
REUSED = refused(400, "Keys can only be used with the same parameters.", type="idempotency_error")
FAILED = refused(500, "An unknown error occurred", type="api_error")
FORBIDDEN = refused(403, "The provided key 'rk_test_*1' does not have the required permissions.")


@pytest.mark.parametrize(
    ("reply", "changing", "reading"),
    [
        (LOCKED, TransientProviderError, TransientProviderError),
        (IN_USE, Uncertain, TransientProviderError),
        (FAILED, Uncertain, TransientProviderError),
        (Reply("<html>Bad gateway", 502), Uncertain, TransientProviderError),
        (Reply("{", 200), Uncertain, TransientProviderError),
        (Reply({}, is_torn=True), Uncertain, TransientProviderError),
        (Reply({}, seconds=3.0), Uncertain, TransientProviderError),
        (REUSED, PermanentProviderError, PermanentProviderError),
        (FORBIDDEN, PermanentProviderError, PermanentProviderError),
        (
            refused(401, "Invalid API Key provided: rk_test_*1"),
            PermanentProviderError,
            PermanentProviderError,
        ),
        (Reply("<html>Forbidden", 403), PermanentProviderError, PermanentProviderError),
    ],
)
async def test_each_failure_is_certain_or_in_doubt_by_what_it_may_have_changed(
    account: ScriptedStripe, reply: Reply, changing: type[Exception], reading: type[Exception]
) -> None:
    account.on(PAY, reply)
    account.on("GET /v1/invoices/in_2", reply)
    async with billing_at(account, seconds=0.5) as billing:
        with pytest.raises(changing):
            await billing.collect("in_1", "d1")
        with pytest.raises(reading):
            await billing.invoice("in_2")
    assert len(account.told(PAY)) == 1


async def test_how_long_stripe_wants_to_be_left_alone_is_passed_on(account: ScriptedStripe) -> None:
    account.on(PAY, Reply(LOCKED.body, 429, {"retry-after": "7"}))
    async with billing_at(account) as billing:
        with pytest.raises(TransientProviderError) as raised:
            await billing.collect("in_1", "d1")
    assert raised.value.details["retry_after"] == 7.0


async def test_a_connection_that_was_never_made_certainly_changed_nothing(unused_tcp_port: int) -> None:
    account = StripeAccount("rk_test_1", f"http://127.0.0.1:{unused_tcp_port}")
    billing = StripeBilling(account, Timeline((Segment(WallInstant(AT), AT, 1.0),)), Retries.EVERSTAY)
    with pytest.raises(TransientProviderError):
        await billing.collect("in_1", "d1")
    await billing.close()


async def test_what_became_of_an_attempt_is_asked_of_its_charges(account: ScriptedStripe) -> None:
    async with billing_at(account) as billing:
        found = await billing.find_collection("in_1", AT)
        assert found is not None
        assert found.decline is not None
        assert (found.succeeded, found.key, found.decline.code, found.at) == (
            False,
            "ch_1",
            "insufficient_funds",
            AT,
        )
        assert await billing.find_collection("in_1", BusinessInstant(AT + DAY)) is None
        account.on(
            "GET /v1/charges", listed(charge(id="ch_2", status="succeeded", created=ISSUED + 9), charge())
        )
        newest = await billing.find_collection("in_1", AT)
        assert newest is not None
        assert (newest.succeeded, newest.key, newest.amount_minor) == (True, "ch_2", 5000)


async def test_a_clock_of_stripes_that_is_a_little_behind_hides_no_charge(account: ScriptedStripe) -> None:
    async with billing_at(account) as billing:
        found = await billing.find_collection("in_1", BusinessInstant(AT + dt.timedelta(seconds=30)))
    assert found is not None


async def test_a_payment_out_of_band_is_found_without_a_charge(account: ScriptedStripe) -> None:
    account.on(READ, Reply(paid()))
    account.on("GET /v1/charges", listed())
    async with billing_at(account) as billing:
        found = await billing.find_collection("in_1", AT)
        assert found is not None
        assert found.succeeded
        assert await billing.find_collection("in_1", BusinessInstant(AT + DAY)) is None


async def test_a_card_is_entered_in_the_portal(account: ScriptedStripe) -> None:
    session = {"object": "billing_portal.session", "created": ISSUED, "url": "https://portal.example"}
    account.on("POST /v1/billing_portal/sessions", Reply({"id": "bps_1", **session}))
    async with billing_at(account) as billing:
        link = await billing.update_link("cus_1", "https://us.example/back")
    assert (link.url, link.expires_at) == ("https://portal.example", AT + dt.timedelta(minutes=5))
    (asked,) = account.told("POST /v1/billing_portal/sessions")
    assert asked.form["flow_data[type]"] == "payment_method_update"
    assert asked.form["flow_data[after_completion][redirect][return_url]"] == "https://us.example/back"


async def test_without_a_portal_a_card_is_entered_on_the_invoices_page(account: ScriptedStripe) -> None:
    account.on("POST /v1/billing_portal/sessions", refused(400, "No configuration provided."))
    account.on("GET /v1/invoices", listed(invoice()), listed())
    async with billing_at(account) as billing:
        link = await billing.update_link("cus_1", "https://us.example/back")
        assert link.url == "https://invoice.example/in_1"
        with pytest.raises(PermanentProviderError, match="No configuration"):
            await billing.update_link("cus_1", "https://us.example/back")


async def test_a_subscription_is_paused_or_canceled_with_the_reason(account: ScriptedStripe) -> None:
    account.on("POST /v1/subscriptions/sub_1", Reply(subscription()))
    account.on("DELETE /v1/subscriptions/sub_1", Reply(subscription(status="canceled")))
    async with billing_at(account) as billing:
        await billing.end_subscription("sub_1", FinalAction.KEEP, "d0", "unpaid")
        assert account.asked == []
        await billing.end_subscription("sub_1", FinalAction.PAUSE, "d1", "unpaid")
        await billing.end_subscription("sub_1", FinalAction.CANCEL, "d2", "unpaid for 30 days")
    paused, canceled = account.asked
    assert (paused.form["pause_collection[behavior]"], paused.key) == ("keep_as_draft", "d1")
    assert canceled.form["cancellation_details[comment]"] == "unpaid for 30 days"


async def test_a_subscription_that_has_ended_already_is_no_error(account: ScriptedStripe) -> None:
    account.on("DELETE /v1/subscriptions/sub_1", missing("sub_1"))
    account.on("GET /v1/subscriptions/sub_1", Reply(subscription(status="canceled")), Reply(subscription()))
    async with billing_at(account) as billing:
        await billing.end_subscription("sub_1", FinalAction.CANCEL, "d1", "unpaid")
        with pytest.raises(PermanentProviderError):
            await billing.end_subscription("sub_1", FinalAction.CANCEL, "d1", "unpaid")


async def test_an_invoice_is_written_off_once(account: ScriptedStripe) -> None:
    path = "POST /v1/invoices/in_1/mark_uncollectible"
    account.on(path, Reply(invoice(status="uncollectible")), refused(400, "It is not open."))
    account.on(READ, Reply(invoice(status="uncollectible")), Reply(paid()))
    async with billing_at(account) as billing:
        await billing.write_off("in_1", "d1")
        await billing.write_off("in_1", "d1")
        with pytest.raises(PermanentProviderError, match="not open"):
            await billing.write_off("in_1", "d1")
    assert {one.key for one in account.told(path)} == {"d1"}


CODE = {"id": "promo_1", "object": "promotion_code", "code": "BACK20", "metadata": {"delivery_id": "d1"}}


async def test_a_discount_is_one_customers_single_use_and_expires(account: ScriptedStripe) -> None:
    account.on("POST /v1/coupons", Reply({"id": "co_1", "object": "coupon"}))
    account.on("POST /v1/promotion_codes", Reply(CODE))
    order = DiscountOrder(
        "d1", "cus_1", "Come back " * 9, 20.0, months=3, expires_at=AT, metadata={"case": "c"}
    )
    async with billing_at(account) as billing:
        assert await billing.grant(order) == DiscountReceipt("promo_1", "BACK20")
    (coupon,), (code,) = account.told("POST /v1/coupons"), account.told("POST /v1/promotion_codes")
    assert (coupon.form["percent_off"], coupon.form["duration_in_months"]) == ("20.0", "3")
    assert (coupon.key, code.key, len(coupon.form["name"])) == ("d1/coupon", "d1", 40)
    assert (code.form["customer"], code.form["max_redemptions"]) == ("cus_1", "1")
    assert (code.form["expires_at"], code.form["promotion[coupon]"]) == (str(ISSUED), "co_1")
    assert (code.form["metadata[delivery_id]"], code.form["metadata[case]"]) == ("d1", "c")


async def test_an_amount_is_written_in_stripes_units(account: ScriptedStripe) -> None:
    account.on("POST /v1/coupons", Reply({"id": "co_1", "object": "coupon"}))
    account.on("POST /v1/promotion_codes", Reply(CODE))
    async with billing_at(account) as billing:
        await billing.grant(DiscountOrder("d1", "cus_1", "Sorry", amount_minor=500, currency="ISK"))
    (coupon,) = account.told("POST /v1/coupons")
    assert (coupon.form["amount_off"], coupon.form["currency"], coupon.form["duration"]) == (
        "50000",
        "isk",
        "once",
    )


async def test_a_discount_is_found_by_its_delivery_id_with_what_became_of_it(account: ScriptedStripe) -> None:
    other = {**CODE, "id": "promo_0", "metadata": {}}
    used = {**CODE, "times_redeemed": 1, "active": False}
    account.on("GET /v1/promotion_codes", listed(other, more=True), listed(used))
    async with billing_at(account) as billing:
        assert await billing.find_grant("cus_1", "d1") == DiscountReceipt(
            "promo_1", "BACK20", is_redeemed=True
        )
        assert await billing.find_grant("cus_1", "d2") is None
    assert account.asked[1].form["starting_after"] == "promo_0"


async def test_a_discount_is_withdrawn_by_switching_its_code_off(account: ScriptedStripe) -> None:
    account.on("POST /v1/promotion_codes/promo_1", Reply({**CODE, "active": False}))
    async with billing_at(account) as billing:
        await billing.withdraw("promo_1", "d2")
    (asked,) = account.asked
    assert (asked.form["active"], asked.key) == ("false", "d2")


async def test_a_former_customer_returns_to_what_they_had(account: ScriptedStripe) -> None:
    session = {"id": "cs_1", "object": "checkout.session", "url": "https://pay.example", "expires_at": ISSUED}
    account.on("POST /v1/checkout/sessions", Reply(session))
    older = subscription(id="sub_0", status="canceled", ended_at=1)
    account.on("GET /v1/subscriptions", listed(older, subscription(status="canceled", ended_at=2)), listed())
    async with billing_at(account) as billing:
        receipt = DiscountReceipt("promo_1", "BACK20")
        link = await billing.reactivation_link("cus_1", None, receipt, "https://us.example")
        assert (link.url, link.expires_at) == ("https://pay.example", AT)
        with pytest.raises(PermanentProviderError, match="no former subscription"):
            await billing.reactivation_link("cus_1", None, receipt, "https://us.example")
    (asked,) = account.told("POST /v1/checkout/sessions")
    assert (asked.form["mode"], asked.form["discounts[0][promotion_code]"]) == ("subscription", "promo_1")
    assert (asked.form["line_items[0][price]"], asked.form["line_items[0][quantity]"]) == ("price_1", "7")
    assert "line_items[1][quantity]" not in asked.form


@pytest.mark.parametrize(("retries", "warns"), [(Retries.EVERSTAY, True), (Retries.PROVIDER, False)])
async def test_two_who_would_retry_are_warned_of(
    account: ScriptedStripe, retries: Retries, *, warns: bool
) -> None:
    account.on("GET /v1/invoices", listed(invoice(next_payment_attempt=ISSUED), invoice()))
    account.on("GET /v1/customers", listed())
    async with billing_at(account, retries=retries) as billing:
        said = await billing.check()
    assert said.startswith(
        "For billing it may read invoices, customers, charges. It may not read subscriptions"
    )
    assert ("Warning: Stripe itself would try 1 open invoices again" in said) is warns


async def test_a_key_that_may_not_read_invoices_is_refused(account: ScriptedStripe) -> None:
    account.on("GET /v1/invoices", FORBIDDEN)
    async with billing_at(account) as billing:
        with pytest.raises(PermanentProviderError, match="required permissions"):
            await billing.check()


COMPRESSED = Timeline((Segment(WallInstant(AT), BusinessInstant(AT + 365 * DAY), 24.0),))


async def test_instants_map_by_the_timeline_in_both_directions(account: ScriptedStripe) -> None:
    account.on("POST /v1/coupons", Reply({"id": "co_1", "object": "coupon"}))
    account.on("POST /v1/promotion_codes", Reply(CODE))
    account.on(READ, Reply(invoice(due_date=ISSUED + 3600)))
    async with billing_at(account, timeline=COMPRESSED) as billing:
        found = await billing.invoice("in_1")
        assert found is not None
        assert found.due_at == AT + 366 * DAY
        await billing.grant(DiscountOrder("d1", "cus_1", "Sorry", 5.0, expires_at=found.due_at))
    assert account.told("POST /v1/promotion_codes")[0].form["expires_at"] == str(ISSUED + 3600)


async def test_a_provider_that_lives_on_business_time_is_taken_at_its_word(unused_tcp_port: int) -> None:
    options = {"base_url": f"http://127.0.0.1:{unused_tcp_port}", "clock": "business"}
    async with open_billing("stripe", options, {"token": "rk_test_1"}, COMPRESSED) as billing:
        assert isinstance(billing, StripeBilling)
        assert billing._times.at(ISSUED) == AT
    async with open_billing("stripe", {}, {"token": "rk_test_1"}, COMPRESSED) as billing:
        assert isinstance(billing, StripeBilling)
        assert billing._times.at(ISSUED) == AT + 365 * DAY


async def test_only_a_connection_with_a_key_of_a_known_provider_opens() -> None:
    with pytest.raises(PermanentProviderError, match="no token"):
        async with open_billing("stripe", {}, {}, COMPRESSED):
            pass
    with pytest.raises(InvalidInputError, match="zendesk is none through which"):
        async with open_billing("zendesk", {}, {}, COMPRESSED):
            pass


def test_every_billing_provider_has_an_adapter() -> None:
    assert set(OPENERS) == BILLING_PROVIDERS
