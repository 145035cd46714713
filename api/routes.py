"""Every route of the application, in one list."""

from litestar.types import ControllerRouterHandler

from api.billing_pages import BillingController
from api.health import healthz, readyz
from api.invitations import InvitationController
from api.openapi import openapi_json, reference
from api.recipients import RecipientController
from api.resources.routes import api_router
from api.sign_in import SignInController
from api.tracking.prompts import prompts_router
from api.tracking.routes import tracking_router
from api.web.assets import static_routers
from api.web.routes import page_routes
from api.webhook_answers import webhook_answers_router
from api.webhooks import webhook_router
from api.webhooks_in import webhooks_in_router
from settings import Settings


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """Return pages, API, webhooks and files. To add some, add them here; each names what it needs."""
    return [
        *static_routers(),
        healthz,
        readyz,
        openapi_json,
        reference,
        SignInController,
        RecipientController,
        InvitationController,
        BillingController,
        webhook_router(settings),
        tracking_router(),
        prompts_router(),
        webhook_answers_router(),
        webhooks_in_router(),
        api_router(),
        *page_routes(),
    ]
