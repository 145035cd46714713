"""Collecting an invoice: one charge at a time, and what follows from it."""

from dataclasses import dataclass
from typing import Any

from integrations.simulators.stripe import invoices
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.cards import CONFIRM, PENDING, decline
from integrations.simulators.stripe.errors import PAYMENT_REQUIRED, StripeRefusal
from integrations.simulators.stripe.periods import in_days
from integrations.simulators.stripe.shapes_payments import charge, outcome
from integrations.simulators.stripe.standing import settle_subscription
from integrations.simulators.stripe.store import Row


@dataclass(frozen=True)
class Attempt:
    """What one try came to."""

    declined: Row | None = None
    charge: Row | None = None
    is_pending: bool = False


def collect(books: Books, row: Row, method: Row | None = None, *, is_automatic: bool = False) -> Attempt:
    """Try once to charge what remains; `is_automatic` is the provider's own schedule."""
    if row["amount_remaining"] == 0:
        mark_paid(books, row)
        return Attempt()
    method = method or method_of(books, row)
    is_counted = is_automatic or not row["attempted"]
    changes = {"attempt_count": row["attempt_count"] + is_counted, "attempted": True}
    books.change("invoices", row, None, **changes)
    joined = _open_payment(books, row)
    intent = books.get("payment_intents", joined["payment"]["payment_intent"])
    if method is None:
        _failed(books, row, None, is_automatic=is_automatic)
        return Attempt(declined={"code": "resource_missing", "decline_code": None})
    books.change("payment_intents", intent, None, amount=row["amount_remaining"])
    return _charge(books, row, joined, method, is_automatic=is_automatic)


def issue(books: Books, row: Row) -> Row:
    """Make a draft final; what costs nothing is paid with that."""
    invoices.finalize(books, row)
    if row["amount_remaining"] == 0:
        mark_paid(books, row)
    return row


def method_of(books: Books, row: Row) -> Row | None:
    """Return what an invoice would be charged to: its own, its subscription's, its customer's default."""
    subscription = invoices.subscription_of(books, row) or {}
    customer = books.store.of("customers").get(row["customer"]) or {"invoice_settings": {}}
    keys = (
        row["default_payment_method"],
        subscription.get("default_payment_method"),
        customer["invoice_settings"].get("default_payment_method"),
    )
    held = books.store.of("payment_methods")
    return next((held[key] for key in keys if key in held), None)


def confirm(books: Books, row: Row) -> None:
    """Let the customer confirm the payment that the issuer asked about."""
    joined = _open_payment(books, row)
    intent = books.get("payment_intents", joined["payment"]["payment_intent"])
    method = books.get("payment_methods", intent["payment_method"], "payment_method")
    _take(books, row, joined, _new_charge(books, intent, method), intent)


def take_money(books: Books, row: Row, amount: int) -> None:
    """Let the customer pay a part or all of an invoice by a transfer."""
    invoices.refuse_unless(row, "open", "uncollectible")
    if amount < row["amount_remaining"]:
        joined = invoices.add_intent(books, row, is_default=False)
        books.change("invoice_payments", joined, None, amount_requested=amount)
    else:
        joined = _open_payment(books, row)
    intent = books.get("payment_intents", joined["payment"]["payment_intent"])
    given: Row = {"amount": amount, "payment_method_types": ["customer_balance"]}
    books.change("payment_intents", intent, None, **given)
    _joined_paid(books, row, joined, intent, amount)


def settle_pending(books: Books, intent: Row, *, succeeds: bool) -> None:
    """Let a debit that is under way arrive, or come back."""
    joined = next(
        each
        for each in books.store.of("invoice_payments").values()
        if each["payment"]["payment_intent"] == intent["id"]
    )
    row = books.get("invoices", joined["invoice"])
    made = books.get("charges", intent["latest_charge"])
    if succeeds:
        books.change("charges", made, "succeeded", status="succeeded", paid=True, outcome=outcome())
        _joined_paid(books, row, joined, intent, intent["amount"])
        return
    said = {"decline_code": "insufficient_funds", "code": "debit_not_authorized", "message": "It came back."}
    _refused(books, intent, made, said)
    _failed(books, row, said, is_automatic=True)


def mark_paid(books: Books, row: Row) -> None:
    """Close an invoice of which nothing remains."""
    moments = {**row["status_transitions"], "paid_at": books.clock.now()}
    changes: Row = {"status": "paid", "status_transitions": moments, "next_payment_attempt": None}
    books.change("invoices", row, "paid", **changes, attempted=True)
    books.tell("invoice.payment_succeeded", row)
    settle_subscription(books, row)


def refusal(attempt: Attempt, intent: Row) -> StripeRefusal:
    """Return the error that a caller gets for a declined charge."""
    said = attempt.declined or {}
    if attempt.charge is None:
        message = "This customer has no attached payment source or default payment method."
        return StripeRefusal(message, code="resource_missing", param="payment_method")
    code = "invoice_payment_intent_requires_action" if said["decline_code"] == CONFIRM else said["code"]
    fields = ("decline_code", "advice_code", "network_decline_code", "network_advice_code")
    details: Row = {name: said.get(name) for name in fields if said.get(name)}
    details |= {"charge": attempt.charge["id"], "payment_intent": intent}
    return StripeRefusal(said["message"], PAYMENT_REQUIRED, code=code, **details)


def _charge(books: Books, row: Row, joined: Row, method: Row, *, is_automatic: bool) -> Attempt:
    intent = books.get("payment_intents", joined["payment"]["payment_intent"])
    result = books.issuers.ask(method["card"]["fingerprint"])
    books.change("payment_intents", intent, None, payment_method=method["id"])
    made = _new_charge(books, intent, method)
    if result == PENDING:
        books.change("charges", made, "pending", status="pending", paid=False, captured=True)
        processing: Any = {"type": "card"}
        books.change("payment_intents", intent, "processing", status="processing", processing=processing)
        books.change("invoices", row, None, next_payment_attempt=None)
        return Attempt(charge=made, is_pending=True)
    said = decline(result)
    if said is None:
        _take(books, row, joined, made, intent)
        return Attempt(charge=made)
    _refused(books, intent, made, said)
    _failed(books, row, said, is_automatic=is_automatic)
    return Attempt(declined=said, charge=made)


def _new_charge(books: Books, intent: Row, method: Row) -> Row:
    made = charge(books.new_id("charges"), books.clock.now(), intent, method, _invoice=intent["_invoice"])
    books.make("charges", made, told=None)
    books.change("payment_intents", intent, None, latest_charge=made["id"])
    books.change("invoices", books.get("invoices", intent["_invoice"]), None, _charge=made["id"])
    return made


def _take(books: Books, row: Row, joined: Row, made: Row, intent: Row) -> None:
    books.tell("charge.succeeded", made)
    _joined_paid(books, row, joined, intent, made["amount"])


def _joined_paid(books: Books, row: Row, joined: Row, intent: Row, amount: int) -> None:
    now = books.clock.now()
    cleared: Row = {"last_payment_error": None, "next_action": None, "processing": None}
    books.change(
        "payment_intents", intent, "succeeded", status="succeeded", amount_received=amount, **cleared
    )
    moments = {**joined["status_transitions"], "paid_at": now}
    books.change(
        "invoice_payments", joined, "paid", status="paid", amount_paid=amount, status_transitions=moments
    )
    remaining = max(row["amount_remaining"] - amount, 0)
    books.change(
        "invoices", row, "updated", amount_paid=row["amount_paid"] + amount, amount_remaining=remaining
    )
    if remaining == 0:
        mark_paid(books, row)


def _refused(books: Books, intent: Row, made: Row, said: Row) -> None:
    failure = {"failure_code": said["code"], "failure_message": said["message"], "outcome": outcome(said)}
    books.change(
        "charges", made, "failed", status="failed", paid=False, captured=False, amount_captured=0, **failure
    )
    error = {"type": "card_error", "code": said["code"], "message": said["message"], "charge": made["id"]}
    codes = ("decline_code", "advice_code", "network_decline_code", "network_advice_code")
    error |= {name: said[name] for name in codes if said.get(name)}
    asks = said["decline_code"] == CONFIRM
    action = {"type": "use_stripe_sdk", "use_stripe_sdk": {}} if asks else None
    status = "requires_action" if asks else "requires_payment_method"
    changes: Row = {"status": status, "next_action": action, "last_payment_error": error, "processing": None}
    books.change("payment_intents", intent, "payment_failed", **changes)
    if asks:
        books.tell("payment_intent.requires_action", intent)


def _failed(books: Books, row: Row, said: Row | None, *, is_automatic: bool) -> None:
    switches = books.switches
    if is_automatic or row["next_payment_attempt"] is None:
        tried = row["attempt_count"] - 1
        more = switches.smart_retries and row["auto_advance"] and tried < len(switches.retry_days)
        at = in_days(books.clock.now(), switches.retry_days[tried]) if more else None
        ended = switches.smart_retries and not more and tried > 0
        books.change("invoices", row, None, next_payment_attempt=at)
    else:
        ended = False
    books.tell("invoice.payment_failed", row)
    if said is not None and said["decline_code"] == CONFIRM:
        books.tell("invoice.payment_action_required", row)
    settle_subscription(books, row, ended_as=switches.after_retries if ended else "")


def _open_payment(books: Books, row: Row) -> Row:
    held = [each for each in invoices.payments_of(books, row) if each["is_default"]]
    if not held:
        return invoices.add_intent(books, row)
    [joined] = held
    intent = books.get("payment_intents", joined["payment"]["payment_intent"])
    if intent["status"] == "processing":
        message = "A payment of this invoice is processing; wait until it has settled."
        raise StripeRefusal(message, code="payment_intent_unexpected_state")
    books.change("invoice_payments", joined, None, amount_requested=row["amount_remaining"])
    return joined
