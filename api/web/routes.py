"""Every page, in one list for the application's routes."""

from litestar.types import ControllerRouterHandler

from api.web.live import live
from api.web.portfolio import PortfolioController
from api.web.preferences import choose_theme


def page_routes() -> list[ControllerRouterHandler]:
    """Return the controllers of all pages."""
    return [PortfolioController, choose_theme, live]
