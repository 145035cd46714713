"""The shape before 2025-03-31, for accounts that have stayed on it."""

from typing import Any

from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.store import Row

FIRST_IN_NEW_SHAPE = "2025-03-31"


def is_older(version: str) -> bool:
    """Whether a version of the API shows the older shape; versions begin with their day."""
    return version[:10] < FIRST_IN_NEW_SHAPE


def in_older_shape(books: Books, body: Row) -> Row:
    """Return an object, and all that is in it, as it was shown before."""
    older: Row = _Older(books).of(body)
    return older


class _Older:
    """Rewrites what has moved. What only we know of an object (`_charge`) is what it used to name itself."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._changes = {
            "invoice": self._invoice,
            "line_item": self._line,
            "subscription": self._subscription,
            "promotion_code": self._promotion_code,
            "discount": self._discount,
            "charge": self._of_invoice,
            "payment_intent": self._of_invoice,
        }

    def of(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.of(each) for each in value]
        if not isinstance(value, dict):
            return value
        inner = {name: self.of(each) for name, each in value.items()}
        change = self._changes.get(str(value.get("object")))
        older = change(inner) if change else inner
        return {name: each for name, each in older.items() if not name.startswith("_")}

    def _invoice(self, body: Row) -> Row:
        details = ((body.pop("parent", None) or {}).get("subscription_details")) or {}
        body |= {"subscription": details.get("subscription"), "paid": body["status"] == "paid"}
        body |= {"charge": body.get("_charge"), "payment_intent": body.get("_payment_intent")}
        body |= {"paid_out_of_band": False, "tax": None, "discount": None}
        body["subscription_details"] = {"metadata": details.get("metadata")}
        del body["total_taxes"]
        return body

    def _line(self, body: Row) -> Row:
        details = (body.pop("parent") or {}).get("subscription_item_details") or {}
        priced = (body.pop("pricing") or {}).get("price_details") or {}
        price = self._books.store.of("prices").get(priced.get("price", ""))
        body |= {"price": self.of(price), "proration": False}
        body |= {name: details.get(name) for name in ("subscription", "subscription_item")}
        return {**body, "type": "subscription" if details else "invoiceitem"}

    def _subscription(self, body: Row) -> Row:
        items = body["items"]["data"]
        period = {name: items[0][name] for name in ("current_period_start", "current_period_end")}
        bare = [{name: each for name, each in item.items() if name not in period} for item in items]
        newest = (body["discounts"] or [None])[-1]
        held = self._books.store.of("discounts").get(newest) if isinstance(newest, str) else None
        discount = newest if held is None else self.of(held)
        return {**body, **period, "discount": discount, "items": {**body["items"], "data": bare}}

    def _promotion_code(self, body: Row) -> Row:
        return {**body, "coupon": self._coupon(body.pop("promotion"))}

    def _discount(self, body: Row) -> Row:
        return {**body, "coupon": self._coupon(body.pop("source"))}

    def _of_invoice(self, body: Row) -> Row:
        return {**body, "invoice": body.get("_invoice")}

    def _coupon(self, source: Row) -> Any:
        held = self._books.store.of("coupons").get(str(source["coupon"]))
        return source["coupon"] if held is None else self.of(held)
