"""Links, discounts, ends and the check, against a Stripe that answers what is written down."""

import datetime as dt

import pytest

from domain.billing import (
    BILLING_PROVIDERS,
    DiscountOrder,
    DiscountReceipt,
    FinalAction,
    RecoveryLink,
    Retries,
)
from domain.errors import PermanentProviderError
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from integrations.billing import OPENERS, open_billing
from integrations.stripe_billing import StripeBilling
from tests.support.stripe_answers import Reply, ScriptedStripe, billing_at, listed, missing, refused
from tests.support.stripe_objects import (
    AT,
    CODE,
    DAY,
    FORBIDDEN,
    ISSUED,
    READ,
    invoice,
    paid,
    subscription,
    unpaid_account,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def account() -> ScriptedStripe:
    return unpaid_account()


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
    assert canceled.form["cancellation_details[comment]"] == "Everstay: unpaid for 30 days"


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
    account.on("GET /v1/checkout/sessions", listed())
    older = subscription(id="sub_0", status="canceled", ended_at=1)
    account.on("GET /v1/subscriptions", listed(older, subscription(status="canceled", ended_at=2)), listed())
    async with billing_at(account) as billing:
        receipt = DiscountReceipt("promo_1", "BACK20")
        link = await billing.reactivation_link("cus_1", None, receipt, "https://us.example")
        assert link == RecoveryLink("https://pay.example", AT)
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
    with pytest.raises(PermanentProviderError, match="read, and not collected"):
        async with open_billing("zendesk", {}, {}, COMPRESSED):
            pass


def test_every_billing_provider_has_an_adapter() -> None:
    assert set(OPENERS) == BILLING_PROVIDERS
