"""What a browser remembers of how it wants pages: light, dark, or as the system has it."""

from litestar import post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Response

from api.guards import SIGNED_IN
from api.sign_in import local_path
from api.web.desk import DESK, THEME_COOKIE, Desk

YEAR_SECONDS = 365 * 86_400
THEMES = ("light", "dark", "auto")


@post("/theme", opt=SIGNED_IN, dependencies=DESK, include_in_schema=False)
async def choose_theme(desk: NamedDependency[Desk]) -> Response[None]:
    """Remember the choice in a cookie and go back to the page."""
    form = await desk.request.form()
    theme = str(form.get("theme") or "")
    response = desk.go(local_path(str(form.get("back") or "/")))
    response.set_cookie(
        Cookie(
            THEME_COOKIE,
            value=theme if theme in THEMES else "auto",
            max_age=YEAR_SECONDS,
            path="/",
            httponly=True,
            secure=desk.settings.base_url.startswith("https://"),
            samesite="lax",
        )
    )
    return response
