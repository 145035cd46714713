"""Every page, in one list for the application's routes."""

from litestar.types import ControllerRouterHandler

from api.web.attention import AttentionController
from api.web.customers import CustomerController
from api.web.data import DataController
from api.web.inbox import InboxController
from api.web.live import live
from api.web.plan import PlanController
from api.web.playbooks import PlaybookController
from api.web.portfolio import PortfolioController
from api.web.preferences import choose_theme
from api.web.runs import DecisionController, RunController


def page_routes() -> list[ControllerRouterHandler]:
    """Return the controllers of all pages."""
    return [
        PortfolioController,
        CustomerController,
        InboxController,
        RunController,
        DecisionController,
        PlanController,
        PlaybookController,
        DataController,
        AttentionController,
        choose_theme,
        live,
    ]
