"""What Stripe's objects say about an invoice and its payments, in the words of the port. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.billing import Collection, Decline, InvoiceEvidence, InvoiceStatus, PaymentMethod, PaymentResult
from domain.time import BusinessInstant
from integrations.stripe_shapes import Body, currency_of, id_of, minor_of, subscription_of

At = Callable[[float], BusinessInstant]
"""How Stripe's seconds map to business time."""

NEEDS_CUSTOMER = frozenset(
    {
        "authentication_required",
        "authentication_not_handled",
        "invoice_payment_intent_requires_action",
        "payment_intent_action_required",
        "payment_intent_authentication_failure",
        "subscription_payment_intent_requires_action",
    }
)
"""Codes by which the issuer asks the customer to confirm."""
CONFIRMS = frozenset({"requires_action", "requires_confirmation"})
REFUSES = frozenset({"requires_payment_method", "canceled"})
"""Statuses of an intent after an attempt."""
CLOSED_DISPUTES = frozenset({"won", "lost", "warning_closed", "prevented"})
REFUSED = "card_declined"
"""What a charge says where the reason is in its outcome."""


@dataclass(frozen=True)
class InvoiceReading:
    """One invoice with everything that was read for it, as it came."""

    invoice: Body
    customer: Body | None = None
    subscription: Body | None = None
    method: Body | None = None
    intents: Sequence[Body] = ()
    charges: Sequence[Body] = ()
    disputes: Sequence[Body] = ()


def evidence_of(read: InvoiceReading, at: At) -> InvoiceEvidence:
    """Say how an invoice stands; a ValueError names the field that is wrong."""
    invoice, currency = read.invoice, currency_of(read.invoice)
    moments = invoice.get("status_transitions") or {}
    issued = at(moments.get("finalized_at") or invoice["created"])
    due, paid = minor_of(invoice.get("amount_due"), currency), minor_of(invoice.get("amount_paid"), currency)
    remaining, subscription = invoice.get("amount_remaining"), read.subscription or {}
    return InvoiceEvidence(
        key=id_of(invoice, "id"),
        customer_key=id_of(invoice.get("customer"), "customer"),
        status=InvoiceStatus(invoice.get("status") or "draft"),
        collection=Collection.TRANSFER if _is_sent(invoice) else Collection.CHARGE,
        currency=currency,
        due_minor=due,
        paid_minor=paid,
        remaining_minor=due - paid if remaining is None else minor_of(remaining, currency),
        issued_at=issued,
        due_at=_instant(invoice.get("due_date"), at) or issued,
        subscription_key=subscription_of(invoice),
        subscription_status=str(subscription.get("status") or ""),
        attempts=max(int(invoice.get("attempt_count") or 0), len(read.charges)),
        next_attempt_at=_instant(invoice.get("next_payment_attempt"), at),
        method=method_of(read.method),
        decline=last_decline(read, at),
        is_disputed=any(dispute.get("status") not in CLOSED_DISPUTES for dispute in read.disputes),
        is_paused=bool(subscription.get("pause_collection")) or subscription.get("status") == "paused",
        pending=is_pending(read.intents, read.charges),
        pay_url=str(invoice.get("hosted_invoice_url") or ""),
    )


def method_of(body: Body | None) -> PaymentMethod | None:
    """Return what would be charged: a payment method, or a card, account or source of the older kind."""
    if not body or not body.get("id"):
        return None
    details = body.get(str(body.get("type"))) or body
    details = details if isinstance(details, Mapping) else body
    year, month = details.get("exp_year"), details.get("exp_month")
    return PaymentMethod(
        key=str(details.get("fingerprint") or body["id"]),
        brand=str(details.get("brand") or details.get("bank_name") or body.get("type") or ""),
        last4=str(details.get("last4") or ""),
        country=str(details.get("country") or ""),
        expires=(int(year), int(month)) if year and month else None,
    )


def last_decline(read: InvoiceReading, at: At) -> Decline | None:
    """Return why the newest failed attempt was refused: its charge tells, or, without one, its intent."""
    failed = [charge for charge in read.charges if charge.get("status") == "failed"]
    if failed:
        newest = max(failed, key=_created)
        return replace(charge_decline(newest), at=_instant(newest.get("created"), at))
    told = [intent["last_payment_error"] for intent in read.intents if intent.get("last_payment_error")]
    return error_decline(told[0]) if told else None


def charge_decline(charge: Body) -> Decline:
    """Return why a charge failed."""
    outcome = charge.get("outcome") or {}
    code = str(charge.get("failure_code") or "")
    if code in {"", REFUSED}:
        code = str(outcome.get("reason") or code)
    return _decline(code, outcome)


def error_decline(error: Body) -> Decline:
    """Return the decline of an error, or of an intent's last one: its decline code says most."""
    code = error.get("decline_code") or error.get("code") or error.get("type")
    return _decline(str(code or ""), error)


def _decline(code: str, told: Body) -> Decline:
    return Decline(
        code=code,
        advice=str(told.get("advice_code") or ""),
        network_code=str(told.get("network_decline_code") or ""),
        network_advice=str(told.get("network_advice_code") or ""),
    )


def is_pending(intents: Iterable[Body], charges: Iterable[Body]) -> bool:
    """Tell that money is under way."""
    statuses = [intent.get("status") == "processing" for intent in intents]
    return any(statuses) or any(charge.get("status") == "pending" for charge in charges)


def refusal_of(error: Body) -> PaymentResult:
    """Return what an attempt came to that was answered with a card error."""
    intent = error.get("payment_intent") or {}
    decline = error_decline(error)
    asks = {decline.code, error.get("code")} & NEEDS_CUSTOMER or intent.get("status") in CONFIRMS
    key = error.get("charge") or intent.get("id") or ""
    return PaymentResult(succeeded=False, key=str(key), decline=decline, needs_customer=bool(asks))


def result_of(read: InvoiceReading, at: At) -> PaymentResult:
    """Return what an attempt came to that was answered with the invoice.

    One that is neither paid, refused nor to be confirmed is under way, as debits are for days.
    """
    newest = max(read.intents, key=_created, default={})
    key = str(_id(newest.get("latest_charge")) or newest.get("id") or "")
    if read.invoice.get("status") == "paid":
        return _paid_result(read.invoice, newest, key, at)
    needs_customer, is_refused = newest.get("status") in CONFIRMS, newest.get("status") in REFUSES
    told = newest.get("last_payment_error") if needs_customer or is_refused else None
    return PaymentResult(
        succeeded=False,
        key=key,
        decline=error_decline(told) if told else None,
        needs_customer=needs_customer,
        pending=not (needs_customer or is_refused),
    )


def attempt_since(read: InvoiceReading, since: BusinessInstant, at: At) -> PaymentResult | None:
    """Return the newest attempt since an instant, None where there was none."""
    charges = [charge for charge in read.charges if at(charge["created"]) >= since]
    if charges:
        return _charge_result(max(charges, key=_created), at)
    now = result_of(read, at)
    was_paid_since = now.succeeded and now.at is not None and now.at >= since
    is_under_way = now.needs_customer or is_pending(read.intents, ())
    return now if was_paid_since or is_under_way else None


def _paid_result(invoice: Body, intent: Body, key: str, at: At) -> PaymentResult:
    moments, currency = invoice.get("status_transitions") or {}, currency_of(invoice)
    return PaymentResult(
        succeeded=True,
        key=key,
        amount_minor=minor_of(intent.get("amount_received") or invoice.get("amount_paid"), currency),
        at=_instant(moments.get("paid_at"), at),
    )


def _charge_result(charge: Body, at: At) -> PaymentResult:
    status, currency = charge.get("status"), currency_of(charge)
    decline = charge_decline(charge) if status == "failed" else None
    created = at(charge["created"])
    return PaymentResult(
        succeeded=status == "succeeded",
        key=str(charge["id"]),
        decline=None if decline is None else replace(decline, at=created),
        needs_customer=decline is not None and decline.code in NEEDS_CUSTOMER,
        pending=status == "pending",
        amount_minor=minor_of(charge.get("amount"), currency) if status == "succeeded" else 0,
        at=created,
    )


def _is_sent(invoice: Body) -> bool:
    return (invoice.get("collection_method") or invoice.get("billing")) == "send_invoice"


def _instant(seconds: Any, at: At) -> BusinessInstant | None:
    return at(float(seconds)) if seconds else None


def _created(body: Body) -> float:
    return float(body.get("created") or 0)


def _id(given: Any) -> Any:
    return given.get("id") if isinstance(given, Mapping) else given
