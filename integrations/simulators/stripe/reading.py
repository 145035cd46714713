"""What can be read: every object by its id, every list, and searches."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from integrations.simulators.stripe import invoices
from integrations.simulators.stripe.books import KINDS, Books
from integrations.simulators.stripe.errors import BAD_REQUEST, NOT_FOUND, StripeRefusal, unknown_parameter
from integrations.simulators.stripe.listing import MOST, fits, matches, newest_first, page
from integrations.simulators.stripe.render import DEEPEST, shown
from integrations.simulators.stripe.shapes_catalog import portal_configuration
from integrations.simulators.stripe.store import Row

Values = Mapping[str, Any]
Special = Callable[[Books, Row, Any], bool]
_PAGING = ("limit", "starting_after", "ending_before", "expand", "created")
_ENDED = ("canceled", "incomplete_expired")
_SEARCHED = ("customers", "subscriptions", "invoices", "charges", "payment_intents", "prices", "products")
_PLAIN: Mapping[str, tuple[str, ...]] = {
    "customers": ("email",),
    "products": ("active",),
    "prices": ("active", "product", "currency", "type"),
    "payment_methods": ("customer", "type"),
    "subscriptions": ("customer", "collection_method"),
    "invoices": ("customer", "status", "collection_method", "due_date"),
    "invoiceitems": ("customer", "invoice"),
    "invoice_payments": ("invoice", "status"),
    "payment_intents": ("customer",),
    "charges": ("customer", "payment_intent"),
    "disputes": ("charge", "payment_intent"),
    "promotion_codes": ("active", "code", "customer"),
    "checkout/sessions": ("customer", "status", "subscription", "payment_intent"),
    "events": ("type",),
}
_SPECIAL: Mapping[str, Mapping[str, Special]] = {
    "subscriptions": {
        "status": lambda _, row, wanted: (
            wanted == "all"
            or (row["status"] in _ENDED if wanted == "ended" else row["status"] == wanted)
        ),
        "price": lambda _, row, wanted: any(
            item["price"]["id"] == wanted for item in row["items"]["data"]
        ),
    },
    "invoices": {
        "subscription": lambda books, row, wanted: (
            (invoices.subscription_of(books, row) or {}).get("id") == wanted
        )
    },
    "invoice_payments": {
        "payment": lambda _, row, wanted: row["payment"]["payment_intent"] == wanted.get("payment_intent")
    },
    "prices": {"lookup_keys": lambda _, row, wanted: row["lookup_key"] in wanted},
    "promotion_codes": {"coupon": lambda _, row, wanted: row["promotion"]["coupon"] == wanted},
    "events": {"types": lambda _, row, wanted: any(fnmatchcase(row["type"], each) for each in wanted)},
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """One GET: its path without `v1/`, its parameters, and how the answer is to look."""

    parts: list[str]
    values: Values
    version: str = ""
    most: int = MOST

    @property
    def expand(self) -> list[str]:
        """Return what is to be expanded."""
        asked = self.values.get("expand") or []
        return asked if isinstance(asked, list) else [str(asked)]


def read(books: Books, reading: Reading) -> Row | None:
    """Answer a GET; None where there is no such address."""
    parts = reading.parts
    if parts[0] in {"billing_portal", "checkout"}:
        parts = ["/".join(parts[:2]), *parts[2:]]
    kind, *below = parts
    if kind in _APART:
        return _APART[kind](books, reading, below)
    if kind not in KINDS:
        return None
    if not below:
        return _list(books, reading, kind, _found(books, kind, reading.values))
    if below == ["search"] and kind in _SEARCHED:
        return _search(books, reading, kind)
    row = books.get(kind, below[0], status=NOT_FOUND)
    if len(below) > 1:
        return _below(books, reading, row, "/".join(below[1:]))
    return shown(books, row, reading.expand, reading.version)


def _found(books: Books, kind: str, values: Values) -> list[Row]:
    special, plain = _SPECIAL.get(kind, {}), _PLAIN.get(kind, ())
    unknown = [name for name in values if name not in {*special, *plain, *_PAGING}]
    if unknown:
        raise unknown_parameter(unknown[0])
    rows: Iterable[Row] = books.store.of(kind).values()
    if kind == "subscriptions" and "status" not in values:
        rows = [row for row in rows if row["status"] not in _ENDED]
    asked = {name: each for name, each in values.items() if name not in _PAGING or name == "created"}
    return [row for row in rows if all(_fits(books, kind, row, *each) for each in asked.items())]


def _fits(books: Books, kind: str, row: Row, name: str, wanted: Any) -> bool:
    special = _SPECIAL.get(kind, {}).get(name)
    return special(books, row, wanted) if special else fits(row, name, wanted)


def _list(books: Books, reading: Reading, url: str, rows: list[Row]) -> Row:
    part, more = page(newest_first(rows), reading.values, reading.most)
    return _as_list(books, reading, url, part, more=more)


def _as_list(books: Books, reading: Reading, url: str, rows: list[Row], *, more: bool) -> Row:
    wrong = [path for path in reading.expand if not path.startswith("data.") or path.count(".") >= DEEPEST]
    if wrong:
        raise StripeRefusal(
            f"This property cannot be expanded ({wrong[0]}): begin with data, go four levels at most.",
            param="expand",
        )
    below = [path.removeprefix("data.") for path in reading.expand]
    data = [shown(books, row, below, reading.version) for row in rows]
    return {"object": "list", "url": f"/v1/{url}", "has_more": more, "data": data}


def _search(books: Books, reading: Reading, kind: str) -> Row:
    query = str(reading.values.get("query") or "")
    if not query:
        raise StripeRefusal("Missing required param: query.", code="parameter_missing", param="query")
    rows = newest_first(row for row in books.store.of(kind).values() if matches(row, query))
    begin = int(reading.values.get("page") or 0)
    size = int(reading.values.get("limit") or 10)
    part, more = rows[begin : begin + size], begin + size < len(rows)
    found = _as_list(books, reading, f"{kind}/search", part, more=more)
    return {**found, "object": "search_result", "next_page": str(begin + size) if more else None}


def _below(books: Books, reading: Reading, row: Row, below: str) -> Row | None:
    url = "/".join(reading.parts)
    match row["object"], below:
        case "invoice", "lines":
            data = row["lines"]["data"]
        case "checkout.session", "line_items":
            data = row["_line_items"]
        case "customer", "payment_methods":
            held = books.store.of("payment_methods").values()
            return _list(books, reading, url, [each for each in held if each["customer"] == row["id"]])
        case _:
            return None
    return _as_list(books, reading, url, data, more=False)


def _items(books: Books, reading: Reading, ids: list[str]) -> Row:
    held = [
        item for row in books.store.of("subscriptions").values() for item in row["items"]["data"]
    ]  # fmt: skip
    if ids:
        found = next((item for item in held if item["id"] == ids[0]), None)
        if found is None:
            message = f"No such subscription_item: '{ids[0]}'"
            raise StripeRefusal(message, NOT_FOUND, code="resource_missing", param="id")
        return shown(books, found, reading.expand, reading.version)
    wanted = reading.values.get("subscription")
    if not wanted:
        message = "Missing required param: subscription."
        raise StripeRefusal(message, BAD_REQUEST, code="parameter_missing", param="subscription")
    data = [item for item in held if item["subscription"] == wanted]
    return _as_list(books, reading, "subscription_items", data, more=False)


def _portal_configurations(books: Books, reading: Reading, _: list[str]) -> Row:
    data = [portal_configuration()] if books.switches.has_portal else []
    return _as_list(books, reading, "billing_portal/configurations", data, more=False)


_APART = {"subscription_items": _items, "billing_portal/configurations": _portal_configurations}
"""What is not kept as objects of its own."""
