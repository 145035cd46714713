"""Pages for the customer: an invoice to pay, a card to enter, a checkout. Only buttons change anything."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Controller, MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from integrations.simulators.stripe import collecting
from integrations.simulators.stripe.account import SimulatedStripe
from integrations.simulators.stripe.errors import StripeRefusal
from integrations.simulators.stripe.routes_people import attach, set_default
from integrations.simulators.stripe.routes_sessions import complete
from integrations.simulators.stripe.store import Row

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
CHOICES = {
    "pm_card_visa": "Visa 4242, which pays",
    "pm_card_mastercard": "Mastercard 4444, which pays",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "Visa 4242, which has insufficient funds",
    "pm_card_chargeDeclinedExpiredCard": "Visa 4242, which has expired",
}
ON_FILE = "on_file"
NO_MINOR_UNIT = frozenset({"jpy", "krw", "vnd", "clp"})
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Given = NamedDependency[SimulatedStripe]


class HostedPagesController(Controller):
    """The pages. They work without JavaScript: every button is a form."""

    path = "/hosted"

    @get("/invoices/{object_id:str}", media_type=MediaType.HTML)
    async def show_invoice(
        self, stripe: Given, object_id: FromPath[str], refused: FromQuery[str] = ""
    ) -> Response[str]:
        """Show an invoice with what remains to be paid."""
        row = _found(stripe, "invoices", object_id)
        method = collecting.method_of(stripe.books, row)
        intent = stripe.store.of("payment_intents").get(row.get("_payment_intent", ""), {})
        asks = row["status"] == "open" and intent.get("status") == "requires_action"
        return _page("invoice.html", invoice=row, method=method, asks=asks, refused=refused)

    @get("/invoices/{object_id:str}/pdf", media_type=MediaType.HTML)
    async def show_document(self, stripe: Given, object_id: FromPath[str]) -> Redirect:
        """Lead to the page: there is no document."""
        return Redirect(f"/hosted/invoices/{_found(stripe, 'invoices', object_id)['id']}")

    @post("/invoices/{object_id:str}/pay")
    async def pay(self, stripe: Given, object_id: FromPath[str], data: Form) -> Redirect:
        """Pay with the card on file or with another one, which is then the one on file."""
        row, card = _found(stripe, "invoices", object_id), data.get("card", ON_FILE)

        def paid() -> None:
            method = None if card == ON_FILE else _enter(stripe, row["customer"], card)
            attempt = collecting.collect(stripe.books, row, method)
            if attempt.declined is not None:
                words = attempt.declined.get("message") or "There is no card on file."
                raise StripeRefusal(str(words))

        return _then(stripe, f"/hosted/invoices/{object_id}", paid)

    @post("/invoices/{object_id:str}/confirm")
    async def confirm(self, stripe: Given, object_id: FromPath[str]) -> Redirect:
        """Confirm the payment that the bank asked about."""
        row = _found(stripe, "invoices", object_id)
        return _then(stripe, f"/hosted/invoices/{object_id}", lambda: collecting.confirm(stripe.books, row))

    @get("/portal/{object_id:str}", media_type=MediaType.HTML)
    async def show_portal(
        self,
        stripe: Given,
        object_id: FromPath[str],
        done: FromQuery[bool] = False,  # noqa: FBT002 - a query parameter
    ) -> Response[str]:
        """Show a customer's card and open invoices."""
        session = _found(stripe, "billing_portal/sessions", object_id)
        customer = _found(stripe, "customers", session["customer"])
        method = stripe.store.of("payment_methods").get(
            customer["invoice_settings"]["default_payment_method"] or ""
        )
        held = stripe.store.of("invoices").values()
        unpaid = [row for row in held if row["customer"] == customer["id"] and row["status"] == "open"]
        return _page(
            "portal.html", session=session, customer=customer, method=method, invoices=unpaid, done=done
        )

    @post("/portal/{object_id:str}/card")
    async def enter_card(self, stripe: Given, object_id: FromPath[str], data: Form) -> Redirect:
        """Enter another card."""
        session = _found(stripe, "billing_portal/sessions", object_id)
        card = data.get("card", "")
        return _then(
            stripe, f"/hosted/portal/{object_id}?done=true", lambda: _enter(stripe, session["customer"], card)
        )

    @get("/checkout/{object_id:str}", media_type=MediaType.HTML)
    async def show_checkout(
        self, stripe: Given, object_id: FromPath[str], refused: FromQuery[str] = ""
    ) -> Response[str]:
        """Show what is bought, for how much."""
        row = _found(stripe, "checkout/sessions", object_id)
        back = str(row["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", object_id)
        return _page("checkout.html", session=row, lines=row["_line_items"], back=back, refused=refused)

    @post("/checkout/{object_id:str}/pay")
    async def check_out(self, stripe: Given, object_id: FromPath[str], data: Form) -> Redirect:
        """Go through a checkout."""
        row, card = _found(stripe, "checkout/sessions", object_id), data.get("card", "")
        return _then(stripe, f"/hosted/checkout/{object_id}", lambda: complete(stripe.books, row, card))


def _enter(stripe: SimulatedStripe, customer: str, card: str) -> Row:
    if card not in CHOICES:
        raise StripeRefusal("Choose one of the cards.")
    row = attach(stripe.books, card, customer)
    set_default(stripe.books, stripe.books.get("customers", customer), row["id"])
    return row


def _then(stripe: SimulatedStripe, page: str, deed: Any) -> Redirect:
    """Do something and lead back to the page, with the words of a refusal where there is one."""
    with stripe.store.transaction():
        try:
            deed()
        except StripeRefusal as refusal:
            return Redirect(page, status_code=303, query_params={"refused": refusal.message})
    return Redirect(page, status_code=303)


def _found(stripe: SimulatedStripe, kind: str, key: str) -> Row:
    stripe.catch_up()
    row = stripe.store.of(kind).get(key)
    if row is None:
        raise NotFoundException
    return row


def _money(amount: int, currency: str) -> str:
    figure = f"{amount:,}" if currency in NO_MINOR_UNIT else f"{amount / 100:,.2f}"
    return f"{figure} {currency.upper()}"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %B %Y")


_pages = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("pages")), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_pages.filters.update(money=_money, day=_day)


def _page(template: str, **values: object) -> Response[str]:
    html = _pages.get_template(template).render(values, choices=CHOICES, on_file=ON_FILE)
    return Response(html, headers={"Content-Security-Policy": PAGE_POLICY, "Referrer-Policy": "no-referrer"})
