"""Coupons and promotion codes: who may use them, how often, and what they take off."""

from collections.abc import Iterable

from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.errors import StripeRefusal
from integrations.simulators.stripe.periods import add_interval
from integrations.simulators.stripe.shapes_catalog import discount
from integrations.simulators.stripe.store import Row


def apply_promotion(books: Books, key: str, customer: str, subscription: str) -> Row:
    """Redeem a promotion code for a subscription and return the discount."""
    code = books.get("promotion_codes", key, "promotion_code")
    refuse_unusable(books, code, customer)
    applied = apply_coupon(books, code["promotion"]["coupon"], customer, subscription, code["id"])
    used = code["times_redeemed"] + 1
    is_spent = code["max_redemptions"] is not None and used >= code["max_redemptions"]
    books.change("promotion_codes", code, times_redeemed=used, active=code["active"] and not is_spent)
    return applied


def apply_coupon(
    books: Books, key: str, customer: str, subscription: str, promotion: str | None = None
) -> Row:
    """Redeem a coupon for a subscription and return the discount."""
    coupon = books.get("coupons", key, "coupon")
    now = books.clock.now()
    if not is_valid(coupon, now):
        raise StripeRefusal(f"Coupon {key} is expired or used up.", code="coupon_expired", param="coupon")
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    row = discount(
        books.new_id("discounts"),
        now,
        coupon["id"],
        customer=customer,
        subscription=subscription,
        promotion_code=promotion,
        end=None if months is None else add_interval(now, "month", months),
    )
    books.store.put("discounts", row)
    used = coupon["times_redeemed"] + 1
    books.change("coupons", coupon, times_redeemed=used)
    books.change("coupons", coupon, None, valid=is_valid(coupon, now))
    books.tell("customer.discount.created", row)
    return row


def refuse_unusable(books: Books, code: Row, customer: str | None) -> None:
    """Raise a StripeRefusal where a promotion code is not this customer's to use now."""
    if code["customer"] is not None and code["customer"] != customer:
        raise StripeRefusal("This promotion code is for another customer.", param="promotion_code")
    expires = code["expires_at"]
    if not code["active"] or (expires is not None and expires <= books.clock.now()):
        raise StripeRefusal("This promotion code is expired or used up.", param="promotion_code")
    if code["restrictions"]["first_time_transaction"] and _has_paid(books, customer):
        raise StripeRefusal("This promotion code is for first orders only.", param="promotion_code")


def is_valid(coupon: Row, now: int) -> bool:
    """Whether a coupon can still be redeemed."""
    most, until = coupon["max_redemptions"], coupon["redeem_by"]
    return (most is None or coupon["times_redeemed"] < most) and (until is None or until > now)


def amounts_off(books: Books, keys: Iterable[str], subtotal: int) -> list[Row]:
    """Return what each discount takes off, never more than there is; a `once` is spent by this."""
    found: list[Row] = []
    left = subtotal
    for key in keys:
        row = books.store.of("discounts")[key]
        coupon = books.get("coupons", row["source"]["coupon"])
        amount = min(worth(coupon, subtotal), left)
        left -= amount
        found.append({"amount": amount, "discount": key})
    return found


def worth(coupon: Row, subtotal: int) -> int:
    """Return what a coupon takes off an amount, in minor units."""
    return int(coupon["amount_off"] or round(subtotal * (coupon["percent_off"] or 0) / 100))


def running(books: Books, subscription: Row) -> list[str]:
    """Return the discounts that still apply to the next invoice of a subscription."""
    now = books.clock.now()
    rows = [books.store.of("discounts")[key] for key in subscription["discounts"]]
    return [row["id"] for row in rows if not row.get("_spent") and (row["end"] is None or row["end"] > now)]


def end_discounts(books: Books, subscription: Row, keys: Iterable[str]) -> None:
    """Take discounts off a subscription, and tell of each."""
    gone = set(keys)
    left = [key for key in subscription["discounts"] if key not in gone]
    books.change("subscriptions", subscription, discounts=left)
    for key in gone:
        books.tell("customer.discount.deleted", books.store.of("discounts")[key])


def next_end(books: Books, subscription: Row) -> tuple[int, str] | None:
    """Return when the first discount of a subscription ends, and which, None where none does."""
    rows = [books.store.of("discounts")[key] for key in subscription["discounts"]]
    return min(((row["end"], row["id"]) for row in rows if row["end"] is not None), default=None)


def spend(books: Books, keys: Iterable[str]) -> None:
    """Note that discounts were on an invoice: those for one time are used up."""
    for key in keys:
        row = books.store.of("discounts")[key]
        if books.get("coupons", row["source"]["coupon"])["duration"] == "once":
            books.change("discounts", row, None, _spent=True)


def _has_paid(books: Books, customer: str | None) -> bool:
    return any(row["customer"] == customer and row["paid"] for row in books.store.of("charges").values())
