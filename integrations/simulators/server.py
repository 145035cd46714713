"""The simulators as one web server: providers that speak the wire protocol, on demand badly."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Litestar, Request, Response, Router, get
from litestar.di import Provide
from litestar.response import Redirect
from litestar.static_files import create_static_files_router

from integrations.simulators.account import FOLDER, SIMULATOR_API_KEY
from integrations.simulators.connections import BreakableProtocol
from integrations.simulators.hubspot.account import SimulatedHubSpot
from integrations.simulators.providers import (
    ReadFaultController,
    Simulated,
    Simulations,
    provider_call,
)
from integrations.simulators.sendgrid.api import MailController, authorize
from integrations.simulators.sendgrid.control import ControlController
from integrations.simulators.sendgrid.mailbox import MailboxController, mailbox_json
from integrations.simulators.sendgrid.provider import SimulatedSendGrid, Switches
from integrations.simulators.sendgrid.reactions import Reader
from integrations.simulators.sendgrid.store import MailStore
from integrations.simulators.sendgrid.suppressions import (
    GlobalSuppressionController,
    GroupSuppressionController,
    SuppressionController,
)
from integrations.simulators.sendgrid.webhooks import WebhookPoster
from integrations.simulators.signing import SigningKey
from integrations.simulators.stripe.account import SimulatedStripe
from integrations.simulators.stripe.clock import Moments, following
from integrations.simulators.stripe.control import StripeControlController, set_endpoint
from integrations.simulators.stripe.pages import HostedPagesController
from integrations.simulators.stripe.params_control import Endpoint
from integrations.simulators.stripe.webhooks import posting
from integrations.simulators.zendesk.account import SimulatedZendesk

SENDGRID = [MailController, SuppressionController, GroupSuppressionController, GlobalSuppressionController]
STATIC = Path(__file__).with_name("static")


@dataclass(frozen=True)
class SimulatorOptions:
    """Where the simulators live: state is under `home`/simulators.

    Events go to `webhook_url`, replies to `inbound_url` in the form of SendGrid's Inbound Parse.
    """

    home: Path
    port: int
    host: str = "127.0.0.1"
    webhook_url: str | None = None
    inbound_url: str | None = None
    api_key: str = SIMULATOR_API_KEY
    simulations: Simulations | None = None
    """The other providers, each under /<its name>; by default with the state that `home` holds."""
    stripe_webhook_url: str | None = None
    """Where the simulated Stripe tells of its events, signed with `WEBHOOK_SECRET`."""
    stripe_clock: Callable[[], Moments] | None = None
    """The clock that the simulated Stripe follows; by default it has its own."""
    public_url: str = ""
    """Where people reach the pages; empty is the address that requests come to."""


def run_simulators(options: SimulatorOptions) -> None:
    """Serve until SIGTERM or Ctrl-C. Nothing is lost by a kill: each message is on disk before its answer."""
    simulator_server(options).run()


def simulator_server(options: SimulatorOptions) -> uvicorn.Server:
    """Build the server, for those who run it inside a loop of their own."""
    config = uvicorn.Config(
        simulator_app(options),
        host=options.host,
        port=options.port,
        http=BreakableProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=1,  # a hanging request would hold the shutdown
    )
    return uvicorn.Server(config)


def simulator_app(options: SimulatorOptions) -> Litestar:
    """Wire the simulated account to its routes."""
    folder = options.home / FOLDER
    key = SigningKey.in_folder(folder)
    store = MailStore(folder / "sendgrid.sqlite")
    switches = Switches(webhook_url=options.webhook_url, inbound_url=options.inbound_url)
    provider = SimulatedSendGrid(store, switches)
    reader = Reader(provider, key)
    simulations = options.simulations or read_providers(folder)
    stripe = _stripe(simulations, options)
    app = Litestar(
        route_handlers=[
            show_root,
            show_health,
            Router("/v3", route_handlers=SENDGRID, before_request=authorize),
            ControlController,
            MailboxController,
            mailbox_json,
            StripeControlController,
            HostedPagesController,
            ReadFaultController,
            provider_call,
            create_static_files_router("/static", [STATIC]),
        ],
        dependencies={
            "provider": _given(provider),
            "reader": _given(reader),
            "key": _given(key),
            "simulations": _given(simulations),
            "stripe": _given(stripe),
        },
        lifespan=[
            _posting(WebhookPoster(provider, key), store),
            lambda _: _serving(stripe, options),
        ],
        before_request=refuse_foreign_forms,
        openapi_config=None,
        logging_config=None,
    )
    app.state.api_key = options.api_key
    return app


def read_providers(folder: Path) -> Simulations:
    """Return the providers other than SendGrid; what changes in Stripe's account is kept in a folder."""
    stripe = SimulatedStripe(file=folder / "stripe.sqlite")
    return {one.name: Simulated(one) for one in (SimulatedHubSpot(), SimulatedZendesk(), stripe)}


def _stripe(simulations: Simulations, options: SimulatorOptions) -> SimulatedStripe:
    stripe = simulations["stripe"].provider
    if not isinstance(stripe, SimulatedStripe):
        raise TypeError("the simulation named stripe is another provider")
    with stripe.store.transaction():
        if options.public_url:
            stripe.books.switch(public_url=options.public_url)
        if options.stripe_webhook_url:
            set_endpoint(stripe, Endpoint(options.stripe_webhook_url))
    return stripe


@contextlib.asynccontextmanager
async def _serving(stripe: SimulatedStripe, options: SimulatorOptions) -> AsyncIterator[None]:
    """Deliver Stripe's events, once its clock is in step with the one that it follows."""
    async with contextlib.AsyncExitStack() as stack:
        if options.stripe_clock is not None:
            moments = options.stripe_clock()
            await stack.enter_async_context(following(stripe.books.clock, stripe.store, moments))
        await stack.enter_async_context(posting(stripe))
        yield


@get("/", sync_to_thread=False)
def show_root() -> Redirect:
    """Lead to the mailbox, what people come for."""
    return Redirect("/mailbox")


@get("/_health", sync_to_thread=False)
def show_health() -> dict[str, bool]:
    """Answer once requests are served."""
    return {"healthy": True}


async def refuse_foreign_forms(request: Request[Any, Any, Any]) -> Response[Any] | None:
    """Let no other site in this browser press the buttons; programs send no such header."""
    site = request.headers.get("sec-fetch-site", "none")
    if request.method in {"GET", "HEAD"} or site in {"none", "same-origin"}:
        return None
    return Response({"detail": "refused: the request comes from another site"}, status_code=403)


def _given(value: object) -> Provide:
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)


def _posting(
    poster: WebhookPoster, store: MailStore
) -> Callable[[Litestar], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def posting(_: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(poster.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            store.close()

    return posting
