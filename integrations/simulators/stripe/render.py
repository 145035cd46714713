"""How an object is shown: without what is only ours, in the asked version, and expanded where asked."""

from collections.abc import Iterable
from typing import Any

from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.errors import StripeRefusal
from integrations.simulators.stripe.invoices import payments_of
from integrations.simulators.stripe.shapes_billing import listed
from integrations.simulators.stripe.store import Row
from integrations.simulators.stripe.versions import in_older_shape, is_older

DEEPEST = 4
_LISTS_SHOWN_ON_DEMAND = {"invoice": ("payments",), "checkout.session": ("line_items",)}


def shown(books: Books, row: Row, expand: Iterable[str] = (), version: str = "") -> Row:
    """Return an object of the API as its caller sees it; StripeRefusal where a path cannot be expanded."""
    body = _public(books, row)
    for path in expand:
        parts = path.split(".")
        if len(parts) > DEEPEST:
            raise StripeRefusal(f"You cannot expand more than {DEEPEST} levels: {path}", param="expand")
        _expand(books, body, parts, path)
    if is_older(version or books.switches.api_version):
        return in_older_shape(books, body)
    bare: Row = _bare(body)
    return bare


def _public(books: Books, row: Row) -> Row:
    """Return a copy with the address of the pages, and with what is ours still in it."""
    return {name: _value(books, each) for name, each in row.items()}


def _value(books: Books, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _value(books, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_value(books, each) for each in value]
    if isinstance(value, str) and value.startswith("{base}"):
        return books.base_url + value.removeprefix("{base}")
    return value


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items() if not name.startswith("_")}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _expand(books: Books, body: Row, parts: list[str], path: str) -> None:
    name, *others = parts
    if name not in body:
        on_demand = _LISTS_SHOWN_ON_DEMAND.get(str(body.get("object")), ())
        if name not in on_demand:
            message = f"This property cannot be expanded ({name}). You requested {path}."
            raise StripeRefusal(message, param="expand")
        body[name] = _on_demand(books, body, name)
    body[name] = _expanded(books, body[name], name)
    below = body[name] if isinstance(body[name], list) else [body[name]]
    for each in below:
        if others and isinstance(each, dict):
            _expand(books, each, others, path)


def _expanded(books: Books, value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_expanded(books, each, name) for each in value]
    if not isinstance(value, str):
        return value
    found = books.store.find(value)
    if found is None:
        raise StripeRefusal(f"This property cannot be expanded ({name}).", param="expand")
    return _public(books, found[1])


def _on_demand(books: Books, body: Row, name: str) -> Row:
    if name == "payments":
        rows = [_public(books, each) for each in reversed(payments_of(books, body))]
        return listed(f"/v1/invoices/{body['id']}/payments", rows)
    return listed(f"/v1/checkout/sessions/{body['id']}/line_items", body["_line_items"])
