"""Sessions of pages: a customer's own page, and checkouts that begin a subscription or enter a card."""

from typing import Literal

import msgspec
from msgspec import UNSET

from integrations.simulators.stripe import discounts
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.cards import decline
from integrations.simulators.stripe.errors import PAYMENT_REQUIRED, StripeRefusal, missing_parameter
from integrations.simulators.stripe.invoices import PAGES
from integrations.simulators.stripe.routes_people import CustomerParams, attach, create_customer, set_default
from integrations.simulators.stripe.routes_subscriptions import Discount, reductions_of
from integrations.simulators.stripe.routing import Number, Params, Route, Text, Truth, Update, given, stated
from integrations.simulators.stripe.shapes_catalog import checkout_session, portal_session
from integrations.simulators.stripe.store import Row
from integrations.simulators.stripe.subscriptions import begin

Nothing = msgspec.UnsetType


class CreatePortal(Params, kw_only=True):
    """Who is sent to their own page, and for what."""

    customer: str
    return_url: Text = UNSET
    configuration: Text = UNSET
    locale: Text = UNSET
    flow_data: dict[str, object] | Nothing = UNSET


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """What is bought."""

    price: str
    quantity: int = 1


class SubscriptionData(msgspec.Struct, forbid_unknown_fields=True):
    """What the new subscription carries."""

    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    description: str | None = None


class CreateCheckout(Update, kw_only=True):
    """A checkout."""

    mode: Literal["subscription", "setup"]
    customer: Text = UNSET
    customer_email: Text = UNSET
    client_reference_id: Text = UNSET
    currency: Text = UNSET
    line_items: list[Line] = msgspec.field(default_factory=list)
    discounts: list[Discount] | Nothing = UNSET
    allow_promotion_codes: Truth = UNSET
    success_url: Text = UNSET
    cancel_url: Text = UNSET
    expires_at: Number = UNSET
    locale: Text = UNSET
    payment_method_types: list[str] | Nothing = UNSET
    subscription_data: SubscriptionData = msgspec.field(default_factory=SubscriptionData)


def create_portal(books: Books, params: CreatePortal) -> Row:
    """Open a customer's own page."""
    books.get("customers", params.customer, "customer")
    if not books.switches.has_portal:
        message = "No configuration provided and your default configuration has not been created."
        raise StripeRefusal(message)
    key = books.new_id("billing_portal/sessions")
    flow = None
    if isinstance(params.flow_data, dict):
        flow = {"subscription_cancel": None, "subscription_update": None, **params.flow_data}
    row = portal_session(
        key, books.clock.now(), params.customer, f"{PAGES}/portal/{key}",
        **given(params, "customer", "flow_data"), flow=flow,
    )  # fmt: skip
    return books.make("billing_portal/sessions", row)


def create_checkout(books: Books, params: CreateCheckout) -> Row:
    """Open a checkout."""
    if params.mode == "subscription" and not params.line_items:
        raise missing_parameter("line_items")
    if isinstance(params.discounts, list) and params.allow_promotion_codes is True:
        raise StripeRefusal("You may only specify one of these parameters: allow_promotion_codes, discounts.")
    coupons = _usable(books, params)
    key = books.new_id("checkout/sessions")
    lines = [_line(books, line) for line in params.line_items]
    total = sum(line["amount_total"] for line in lines)
    reduction = sum(discounts.worth(coupon, total) for coupon in coupons)
    row = checkout_session(
        key,
        books.clock.now(),
        f"{PAGES}/checkout/{key}",
        metadata=stated(params.metadata),
        **{
            **given(params, "line_items", "subscription_data"),
            "currency": lines[0]["currency"] if lines else params.currency or None,
            "discounts": [
                {"coupon": None, "promotion_code": None, kind: each} for kind, each in _asked(params)
            ],
        },
        amount_subtotal=total if lines else None,
        amount_total=total - min(reduction, total) if lines else None,
        total_details={"amount_discount": min(reduction, total), "amount_shipping": 0, "amount_tax": 0},
        _line_items=lines,
        _metadata=params.subscription_data.metadata,
    )
    return books.make("checkout/sessions", row, told=None)


def complete(books: Books, row: Row, card: str) -> Row:
    """Go through a checkout with a test card; a card that is declined leaves it open."""
    if row["status"] != "open":
        raise StripeRefusal("This checkout is no longer open.")
    if row["customer"] is None:
        who = CustomerParams(email=row["customer_email"] or UNSET)
        books.change("checkout/sessions", row, None, customer=create_customer(books, who)["id"])
    method = attach(books, card, row["customer"])
    said = decline(books.issuers.next_of(method["card"]["fingerprint"]))
    if said is not None:
        books.issuers.ask(method["card"]["fingerprint"])
        raise StripeRefusal(said["message"], PAYMENT_REQUIRED, code=said["code"])
    set_default(books, books.get("customers", row["customer"]), method["id"])
    if row["mode"] == "setup":
        done: Row = {"status": "complete", "payment_status": "no_payment_required"}
        return books.change("checkout/sessions", row, "completed", **done, url=None)
    wanted = [(line["price"]["id"], line["quantity"]) for line in row["_line_items"]]
    reductions = [
        (kind, each[kind]) for each in row["discounts"] for kind in ("promotion_code", "coupon") if each[kind]
    ]
    made, _ = begin(books, row["customer"], wanted, reductions, metadata=dict(row["_metadata"]))
    paid: Row = {"status": "complete", "payment_status": "paid", "url": None}
    paid |= {"subscription": made["id"], "invoice": made["latest_invoice"]}
    return books.change("checkout/sessions", row, "completed", **paid)


def expire_checkout(books: Books, _: Params, key: str) -> Row:
    """Close a checkout."""
    row = books.get("checkout/sessions", key, status=404)
    if row["status"] != "open":
        raise StripeRefusal("Only Checkout Sessions with a status of open can be expired.")
    return books.change("checkout/sessions", row, "expired", status="expired", url=None)


def _usable(books: Books, params: CreateCheckout) -> list[Row]:
    """Return the coupons that are asked for; StripeRefusal where this customer may not use one."""
    customer = params.customer if isinstance(params.customer, str) else None
    if customer is not None:
        books.get("customers", customer, "customer")
    found = []
    for kind, key in _asked(params):
        coupon = key
        if kind == "promotion_code":
            code = books.get("promotion_codes", key, "discounts")
            discounts.refuse_unusable(books, code, customer)
            coupon = code["promotion"]["coupon"]
        found.append(books.get("coupons", coupon, "discounts"))
    return found


def _asked(params: CreateCheckout) -> list[tuple[str, str]]:
    return reductions_of(params.discounts)


def _line(books: Books, line: Line) -> Row:
    price = books.get("prices", line.price, "line_items[0][price]")
    amount = price["unit_amount"] * line.quantity
    return {
        "id": books.store.new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": books.get("products", price["product"], "price")["name"],
        "price": price,
        "quantity": line.quantity,
    }


ROUTES = [
    Route("POST", "billing_portal/sessions", create_portal, CreatePortal),
    Route("POST", "checkout/sessions", create_checkout, CreateCheckout),
    Route("POST", "checkout/sessions/*/expire", expire_checkout),
]
