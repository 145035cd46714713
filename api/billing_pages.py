"""Where the letters of cases lead: pay, enter another card, come back. Looking changes nothing."""

from typing import Any

import structlog
from litestar import Controller, Request, Response, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.enums import HttpMethod
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_303_SEE_OTHER,
    HTTP_410_GONE,
    HTTP_502_BAD_GATEWAY,
    HTTP_503_SERVICE_UNAVAILABLE,
)

from activities.billing_accounts import BillingAccounts
from activities.billing_calls import OpenBilling
from activities.delays import asked_delay
from api.billing_ways import follow
from api.callers import Caller
from api.event_applier import EventApplier
from api.guards import PUBLIC, Access, needs
from api.headers import CONTENT_SECURITY_POLICY
from domain.billing_pages import BillingPage, InvoicePage, Way, has_ended
from domain.dunning_words import say_amount, say_day
from domain.errors import (
    EverstayError,
    InvalidInputError,
    NotFoundError,
    PermanentProviderError,
    TransientProviderError,
    UncertainDeliveryError,
)
from domain.links import BillingLink, LinkMaker
from domain.machine_reactions import is_scanner
from integrations.billing import open_billing
from models.billing_pages import load_billing_page
from models.ciphers import Cipher
from models.clock import StoredClock
from models.database import Database
from models.page_presses import note_press
from settings import Settings

SIGNED = needs(Access.SIGNATURE)
"""The token is the signature, as on the other pages for people who get our mail."""
TRY_AGAIN_SECONDS = 30
"""What a browser is told of a provider that named no time itself."""

PressRequest = Request[Caller, None, State]
Page = Response[Any] | Template | Redirect


def _link(token: FromPath[str], settings: NamedDependency[Settings]) -> BillingLink:
    found = _links(settings).billing_of(token)
    if found is None:
        raise NotFoundError(what="letter", key="this link names")
    return found


def _accounts(
    settings: NamedDependency[Settings],
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
) -> OpenBilling:
    return BillingAccounts(database, clock, Cipher(settings.signing_key), open_billing).open


class BillingController(Controller):
    """The page of one case, for one person who got a letter of it."""

    path = "/billing/{token:str}"
    opt = PUBLIC
    include_in_schema = False
    dependencies = {  # noqa: RUF012  as Litestar declares it
        "link": Provide(_link, sync_to_thread=False),
        "accounts": Provide(_accounts, sync_to_thread=False),
    }

    @route("/", http_method=[HttpMethod.GET, HttpMethod.HEAD], status_code=HTTP_200_OK)
    async def show(
        self,
        request: PressRequest,
        link: NamedDependency[BillingLink],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Template:
        """Show what can be done. The provider is not asked, so that whatever follows links costs nothing."""
        page = await _load(database, link, clock)
        if page is None:
            return _ended(settings)
        return _answer(settings, "page", page=page, is_back="back" in request.query_params)

    @post("/", opt=SIGNED, status_code=HTTP_200_OK)
    async def press(
        self,
        request: PressRequest,
        link: NamedDependency[BillingLink],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        applier: NamedDependency[EventApplier],
        accounts: NamedDependency[OpenBilling],
    ) -> Page:
        """Have the provider make its page, and lead there."""
        way = _way(str((await request.form()).get("way") or ""))
        page = await _load(database, link, clock)
        if page is None:
            return _ended(settings)
        async with database.transaction() as session:
            is_machine = is_scanner(request.headers.get("user-agent", ""))
            await note_press(session, link, f"/billing/{way}", clock.wall_now(), is_machine=is_machine)
        applier.wake()
        return await _follow(settings, accounts, page, way, link)


async def _follow(
    settings: Settings, accounts: OpenBilling, page: BillingPage, way: Way, link: BillingLink
) -> Page:
    """Lead to the provider, or say why not: nothing that it says itself is shown."""
    try:
        found = await follow(accounts, page, way, f"{_links(settings).billing(link)}?back=yes")
    except (TransientProviderError, UncertainDeliveryError) as error:
        _log(error, way, link)
        wait = asked_delay(error)
        seconds = int(wait.total_seconds()) if wait is not None else TRY_AGAIN_SECONDS
        answer = _answer(settings, "away", HTTP_503_SERVICE_UNAVAILABLE, way=way)
        answer.headers["Retry-After"] = str(max(seconds, 1))
        return answer
    except (NotFoundError, PermanentProviderError) as error:
        _log(error, way, link)
        return _answer(settings, "refused", HTTP_502_BAD_GATEWAY)
    if isinstance(found, str):
        return Redirect(found, status_code=HTTP_303_SEE_OTHER, headers=_headers(settings))
    return _answer(settings, "page", page=found, is_back=False)


async def _load(database: Database, link: BillingLink, clock: StoredClock) -> BillingPage | None:
    """Return the page, None where the link has ended."""
    now = clock.now()
    if has_ended(link.written_on, now.date()):
        return None
    async with database.transaction() as session:
        return await load_billing_page(session, link, now)


def _links(settings: Settings) -> LinkMaker:
    return LinkMaker(settings.base_url, settings.signing_key)


def _way(given: str) -> Way:
    try:
        return Way(given)
    except ValueError:
        raise InvalidInputError(field="way", reason="press one of the buttons") from None


def _ended(settings: Settings) -> Template:
    return _answer(settings, "ended", HTTP_410_GONE)


def _answer(settings: Settings, view: str, status: int = HTTP_200_OK, **context: Any) -> Template:
    """Return the page in one of its views, with the words of amounts and days."""
    page = context.get("page")
    said: dict[str, Any] = {"view": view, "page": page, "is_invoice": isinstance(page, InvoicePage)}
    if isinstance(page, InvoicePage):
        said["amount"] = say_amount(page.remaining_minor, page.currency)
        said["due_on"] = say_day(page.due_on)
    elif page is not None and page.offer is not None:
        said["ends_on"] = say_day(page.offer.ends_on) if page.offer.ends_on is not None else ""
    return Template(
        "billing.html", context={**context, **said}, status_code=status, headers=_headers(settings)
    )


def _headers(settings: Settings) -> dict[str, str]:
    """Return what this page alone says to browsers: its address is a key, and its form leads to the provider.

    Browsers hold the address that a form is redirected to against `form-action` as well, and the provider may
    have any: accounts of Stripe can have a domain of their own.
    """
    away = "https:" if settings.base_url.startswith("https://") else "https: http:"
    policy = CONTENT_SECURITY_POLICY.replace("form-action 'self'", f"form-action 'self' {away}")
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
    }


def _log(error: EverstayError, way: Way, link: BillingLink) -> None:
    """Log it without the provider's words, which can quote what a customer entered."""
    structlog.get_logger("api.billing_pages").warning(
        "no page of the billing provider",
        case=str(link.case_id),
        way=way.value,
        reason=type(error).__name__,
    )
