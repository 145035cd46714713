"""The adapter against a Stripe that answers what is written down, with the words of its real answers."""

import datetime as dt
from typing import Any

import pytest

from domain.billing import (
    PaymentMethod,
    Retries,
)
from domain.errors import PermanentProviderError, TransientProviderError
from domain.errors import UncertainDeliveryError as Uncertain
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from integrations.stripe_billing import StripeBilling
from integrations.stripe_http import StripeAccount
from tests.support.stripe_answers import Reply, ScriptedStripe, billing_at, listed, refused
from tests.support.stripe_objects import (
    AT,
    DAY,
    FORBIDDEN,
    ISSUED,
    PAY,
    READ,
    charge,
    intent,
    invoice,
    paid,
    payment,
    subscription,
    unpaid_account,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def account() -> ScriptedStripe:
    return unpaid_account()


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


async def test_an_answer_of_another_shape_is_said_and_after_a_charge_it_is_in_doubt(
    account: ScriptedStripe,
) -> None:
    account.on(READ, Reply(invoice(status="settling")))
    account.on(PAY, Reply(paid(currency=None)))
    async with billing_at(account) as billing:
        with pytest.raises(PermanentProviderError, match="'settling' is not a valid InvoiceStatus"):
            await billing.invoice("in_1")
        with pytest.raises(Uncertain, match="is no currency code"):
            await billing.collect("in_1", "d1")


LOCKED = refused(429, "This object cannot be accessed right now.", code="lock_timeout")
IN_USE = refused(409, "There is currently another in-progress request.", code="idempotency_key_in_use")
REUSED = refused(400, "Keys can only be used with the same parameters.", type="idempotency_error")
FAILED = refused(500, "An unknown error occurred", type="api_error")


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
    patience = 0.5 if reply.seconds else 10.0  # only the slow answer is to come too late
    async with billing_at(account, seconds=patience) as billing:
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
