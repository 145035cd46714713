"""Is the simulator Stripe? The official library drives it, and Stripe's own fixtures judge its objects."""

from pathlib import Path
from typing import Any

import pytest
import stripe

from integrations.simulators.server import SimulatorOptions
from integrations.simulators.stripe.store import StripeStore
from tests.support.simulators import running_simulators
from tests.support.stripe_simulator import LIBRARY_WARNS, StripeOffice, open_office

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings(LIBRARY_WARNS)]


async def declined(office: StripeOffice, invoice: str, key: str = "") -> stripe.CardError:
    options = {"idempotency_key": key} if key else {}
    with pytest.raises(stripe.CardError) as caught:
        await office.v1.invoices.pay_async(invoice, {}, options)
    return caught.value


async def test_a_card_gives_its_results_charge_by_charge_until_the_invoice_is_paid(
    office: StripeOffice,
) -> None:
    made = await office.unpaid("insufficient_funds", "insufficient_funds", "ok")
    invoice = await office.v1.invoices.retrieve_async(made["invoice"])
    subscription = await office.v1.subscriptions.retrieve_async(made["subscription"])
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("open", 1, None)
    assert subscription.status == "past_due"
    error = await declined(office, made["invoice"])
    assert (error.http_status, error.code) == (402, "card_declined")
    assert error.error is not None
    assert (error.error.decline_code, error.error.advice_code) == ("insufficient_funds", "try_again_later")
    paid = await office.v1.invoices.pay_async(made["invoice"])
    assert (paid.status, paid.amount_remaining, paid.amount_paid) == ("paid", 0, 10_000)
    assert (await office.v1.subscriptions.retrieve_async(made["subscription"])).status == "active"
    assert [each["status"] for each in await office.charges()] == [
        "succeeded", "failed", "failed", "succeeded",
    ]  # fmt: skip


async def test_a_refused_charge_says_why_in_the_words_of_network_and_issuer(office: StripeOffice) -> None:
    script = {"decline_code": "do_not_honor", "network_advice_code": "03", "advice_code": "do_not_try_again"}
    made = await office.unpaid(script)
    expand = {"expand": ["payments.data.payment.payment_intent", "default_payment_method"]}
    invoice = await office.v1.invoices.retrieve_async(made["invoice"], expand)
    [joined] = invoice.payments.data
    intent = joined.payment.payment_intent
    assert (joined.status, intent.status) == ("open", "requires_payment_method")
    charge = await office.v1.charges.retrieve_async(intent.latest_charge)
    assert charge.outcome.reason == "do_not_honor"
    assert charge.outcome.network_decline_code == "05"
    assert (charge.outcome.network_advice_code, charge.outcome.advice_code) == ("03", "do_not_try_again")
    method = await office.v1.payment_methods.retrieve_async(made["payment_method"])
    assert charge.payment_method_details.card.fingerprint == method.card.fingerprint


async def test_the_bank_asks_and_the_customer_confirms_on_the_page(office: StripeOffice) -> None:
    made = await office.unpaid("authentication_required")
    error = await declined(office, made["invoice"])
    assert error.code == "invoice_payment_intent_requires_action"
    invoice = await office.v1.invoices.retrieve_async(made["invoice"])
    page = await office.http.get(invoice.hosted_invoice_url)
    assert "Confirm the payment" in page.text
    assert len(await office.charges()) == 3
    await office.http.post(f"{invoice.hosted_invoice_url}/confirm")
    assert (await office.v1.invoices.retrieve_async(made["invoice"])).status == "paid"


async def test_a_payment_that_is_under_way_arrives_or_comes_back(office: StripeOffice) -> None:
    made = await office.unpaid("pending", "ok")
    [joined] = (await office.v1.invoice_payments.list_async({"invoice": made["invoice"]})).data
    intent = joined.payment.payment_intent
    assert (await office.v1.payment_intents.retrieve_async(intent)).status == "processing"
    with pytest.raises(stripe.InvalidRequestError, match="processing"):
        await office.v1.invoices.pay_async(made["invoice"])
    await office.control("POST", "/settle", {"payment_intent": intent, "succeeds": False})
    assert (await office.v1.subscriptions.retrieve_async(made["subscription"])).status == "past_due"
    assert (await office.v1.invoices.pay_async(made["invoice"])).status == "paid"


async def test_an_invoice_is_paid_in_parts_by_transfer(office: StripeOffice) -> None:
    made = await office.company(collection_method="send_invoice", days_until_due=14, card=None)
    invoice = await office.v1.invoices.retrieve_async(made["invoice"])
    assert (invoice.status, invoice.due_date - invoice.created) == ("open", 14 * 86400)
    await office.control("POST", "/pay", {"invoice": made["invoice"], "amount": 4_000})
    partly = await office.v1.invoices.retrieve_async(made["invoice"], {"expand": ["payments"]})
    assert (partly.status, partly.amount_paid, partly.amount_remaining) == ("open", 4_000, 6_000)
    assert sorted((each.status, each.amount_requested) for each in partly.payments.data) == [
        ("open", 10_000), ("paid", 4_000),
    ]  # fmt: skip
    await office.control("POST", "/pay", {"invoice": made["invoice"]})
    assert (await office.v1.invoices.retrieve_async(made["invoice"])).status == "paid"


async def test_an_invoice_is_drafted_made_final_sent_voided_or_written_off(office: StripeOffice) -> None:
    made = await office.company()
    ends = []
    for end in ("void_invoice_async", "mark_uncollectible_async", "delete_async"):
        wanted = {"customer": made["customer"], "collection_method": "send_invoice", "days_until_due": 7}
        draft = await office.v1.invoices.create_async(wanted)
        line = {"customer": made["customer"], "invoice": draft.id, "amount": 500, "currency": "eur"}
        await office.v1.invoice_items.create_async(line)
        if end != "delete_async":
            sent = await office.v1.invoices.send_invoice_async(draft.id)
            assert (sent.status, sent.total, bool(sent.number)) == ("open", 500, True)
        ended = await getattr(office.v1.invoices, end)(draft.id)
        ends.append(ended.to_dict().get("status", "deleted"))
    assert ends == ["void", "uncollectible", "deleted"]
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        await office.v1.invoices.pay_async(made["invoice"])


async def test_a_subscription_is_begun_changed_paused_and_ended(office: StripeOffice) -> None:
    v1 = office.v1
    customer = await v1.customers.create_async({"email": "pay@globex.example", "metadata": {"tier": "1"}})
    card = await v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    default = {"invoice_settings": {"default_payment_method": card.id}, "metadata": {"tier": "", "a": "b"}}
    customer = await v1.customers.update_async(customer.id, default)
    assert customer.metadata.to_dict() == {"a": "b"}
    product = await v1.products.create_async({"name": "Team"})
    price = {
        "product": product.id,
        "unit_amount": 1_500,
        "currency": "eur",
        "recurring": {"interval": "year"},
    }
    price = await v1.prices.create_async(price)
    items = [{"price": price.id, "quantity": 2}]
    begun = await v1.subscriptions.create_async(
        {"customer": customer.id, "items": items, "expand": ["latest_invoice", "customer"]}
    )
    assert (begun.status, begun.latest_invoice.status, begun.latest_invoice.total) == (
        "active",
        "paid",
        3_000,
    )
    assert begun.customer.id == customer.id
    item = begun["items"].data[0]
    assert item.current_period_end - item.current_period_start >= 365 * 86400
    change = {"items": [{"id": item.id, "quantity": 5}], "pause_collection": {"behavior": "void"}}
    changed = await v1.subscriptions.update_async(begun.id, change)
    assert (changed["items"].data[0].quantity, changed.pause_collection.behavior) == (5, "void")
    resumed = await v1.subscriptions.update_async(begun.id, {"pause_collection": ""})
    assert resumed.pause_collection is None
    why = {"cancellation_details": {"comment": "not paid"}}
    ended = await v1.subscriptions.cancel_async(begun.id, why)
    assert (ended.status, ended.cancellation_details.comment) == ("canceled", "not paid")
    listed = await v1.subscriptions.list_async({"customer": customer.id})
    everything = await v1.subscriptions.list_async({"customer": customer.id, "status": "all"})
    assert (len(listed.data), len(everything.data)) == (0, 1)
    with pytest.raises(stripe.InvalidRequestError):
        await v1.subscriptions.cancel_async(begun.id)


async def test_a_dispute_is_opened_and_ends(office: StripeOffice) -> None:
    made = await office.company()
    dispute = await office.control("POST", "/disputes", {"invoice": made["invoice"]})
    found = await office.v1.disputes.list_async({"payment_intent": dispute["payment_intent"]})
    assert [(each.id, each.status) for each in found.data] == [(dispute["id"], "needs_response")]
    assert (await office.v1.charges.retrieve_async(dispute["charge"])).disputed
    closed = await office.control("POST", f"/disputes/{dispute['id']}/close", {"status": "won"})
    assert closed["status"] == "won"


async def test_a_promotion_code_is_one_customers_once(office: StripeOffice) -> None:
    v1, made, other = office.v1, await office.company(), await office.company("Initech")
    coupon = await v1.coupons.create_async({"percent_off": 25, "duration": "once", "name": "Come back"})
    wanted = {
        "promotion": {"type": "coupon", "coupon": coupon.id}, "customer": made["customer"],
        "max_redemptions": 1, "metadata": {"delivery_id": "case/1"},
    }  # fmt: skip
    code = await v1.promotion_codes.create_async(wanted)
    line = {"mode": "subscription", "line_items": [{"price": made["price"], "quantity": 1}]}
    line |= {"discounts": [{"promotion_code": code.id}], "success_url": "https://everstay.example/thanks"}
    with pytest.raises(stripe.InvalidRequestError, match="another customer"):
        await v1.checkout.sessions.create_async({**line, "customer": other["customer"]})
    session = await v1.checkout.sessions.create_async({**line, "customer": made["customer"]})
    assert (session.status, session.amount_subtotal, session.amount_total) == ("open", 10_000, 7_500)
    await office.http.get(session.url)
    assert (await v1.checkout.sessions.retrieve_async(session.id)).status == "open"
    await office.http.post(f"{session.url}/pay", data={"card": "pm_card_visa"})
    done = await v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription", "invoice"]})
    assert (done.status, done.payment_status, done.invoice.amount_paid) == ("complete", "paid", 7_500)
    listed = await v1.promotion_codes.list_async({"customer": made["customer"], "active": False})
    assert [(each.id, each.times_redeemed) for each in listed.data] == [(code.id, 1)]
    [shown] = await office.control("GET", "/promotion-codes")
    assert [each["subscription"] for each in shown["redemptions"]] == [done.subscription.id]
    with pytest.raises(stripe.InvalidRequestError, match="used up"):
        await v1.checkout.sessions.create_async({**line, "customer": made["customer"]})


async def test_a_customer_enters_another_card_on_the_portal(office: StripeOffice) -> None:
    made = await office.unpaid("stolen_card")
    wanted = {"customer": made["customer"], "return_url": "https://everstay.example/thanks"}
    session = await office.v1.billing_portal.sessions.create_async(wanted)
    page = await office.http.get(session.url)
    assert "Enter another card" in page.text
    assert "https://everstay.example/thanks" in page.text
    await office.http.post(f"{session.url}/card", data={"card": "pm_card_mastercard"})
    customer = await office.v1.customers.retrieve_async(
        made["customer"], {"expand": ["invoice_settings.default_payment_method"]}
    )
    assert customer.invoice_settings.default_payment_method.card.brand == "mastercard"
    assert (await office.v1.invoices.pay_async(made["invoice"])).status == "paid"


async def test_a_customer_pays_on_the_page_of_the_invoice(office: StripeOffice) -> None:
    made = await office.unpaid("insufficient_funds")
    invoice = await office.v1.invoices.retrieve_async(made["invoice"])
    foreign = await office.http.post(
        f"{invoice.hosted_invoice_url}/pay", headers={"sec-fetch-site": "cross-site"}
    )
    assert foreign.status_code == 403
    refused = await office.http.post(f"{invoice.hosted_invoice_url}/pay", data={"card": "on_file"})
    page = await office.http.get(refused.headers["location"])
    assert "Your card has insufficient funds." in page.text
    await office.http.post(f"{invoice.hosted_invoice_url}/pay", data={"card": "pm_card_visa"})
    assert (await office.v1.invoices.retrieve_async(made["invoice"])).status == "paid"


async def test_what_is_asked_wrongly_is_refused_by_name(office: StripeOffice) -> None:
    made = await office.company()
    wrong: list[tuple[Any, tuple[Any, ...], str, str]] = [
        (office.v1.customers.create_async, ({"colour": "green"},), "parameter_unknown", "colour"),
        (
            office.v1.subscriptions.create_async,
            ({"customer": made["customer"]},),
            "parameter_missing",
            "items",
        ),
        (office.v1.invoices.list_async, ({"limit": "many"},), "parameter_invalid", "limit"),
        (office.v1.invoices.retrieve_async, ("in_nowhere",), "resource_missing", "id"),
        (
            office.v1.subscriptions.create_async,
            ({"customer": made["customer"], "items": [{"price": made["price"], "quantity": "x"}]},),
            "parameter_invalid",
            "items[0][quantity]",
        ),
    ]
    for call, arguments, code, param in wrong:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await call(*arguments)
        assert (caught.value.code, caught.value.param) == (code, param)
        assert caught.value.request_id
    with pytest.raises(stripe.InvalidRequestError, match="expand more than 4"):
        await office.v1.invoices.retrieve_async(
            made["invoice"], {"expand": ["payments.data.payment.payment_intent.latest_charge"]}
        )


async def test_lists_have_pages_and_filters_and_are_searched(office: StripeOffice) -> None:
    made = [await office.company(f"Globex {number}", metadata={"n": str(number)}) for number in range(5)]
    first = await office.v1.customers.list_async({"limit": 2})
    assert (first.has_more, [each.name for each in first.data]) == (True, ["Globex 4", "Globex 3"])
    names = [each.name async for each in first.auto_paging_iter()]
    assert names[:5] == [f"Globex {number}" for number in (4, 3, 2, 1, 0)]
    assert len(names) == 5 + 12
    before = await office.v1.customers.list_async({"ending_before": made[3]["customer"]})
    assert [each.name for each in before.data] == ["Globex 4"]
    paid = await office.v1.invoices.list_async({"subscription": made[2]["subscription"], "status": "paid"})
    assert [each.id for each in paid.data] == [made[2]["invoice"]]
    found = await office.v1.customers.search_async({"query": "metadata['n']:'3'"})
    assert [each.name for each in found.data] == ["Globex 3"]


async def test_the_account_outlives_the_process(tmp_path: Path) -> None:
    options = SimulatorOptions(home=tmp_path, port=0)
    made: dict[str, str] = {}
    for run in range(2):
        async with running_simulators(options) as url, open_office(url) as office:
            made = made or await office.unpaid("insufficient_funds", "ok")
            on_disk = StripeStore(tmp_path / "simulators" / "stripe.sqlite")  # as after a kill
            assert [*on_disk.of("charges")] == [each["id"] for each in await office.charges()]
            on_disk.close()
            if run:
                paid = await office.v1.invoices.pay_async(made["invoice"])
                assert (paid.status, len(await office.charges())) == ("paid", 3)
                await office.control("POST", "/reset")
                assert (await office.v1.customers.list_async()).data == []
