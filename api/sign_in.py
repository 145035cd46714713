"""Signing in with a password or a link, and signing out."""

import ipaddress
from dataclasses import dataclass
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER

from api.authentication import GUEST
from api.callers import Caller
from api.cookies import Cookies
from api.guards import PUBLIC, SIGNED_IN
from domain.permissions import TooManyAttemptsError, WrongCredentialsError
from models.clock import wall_now
from models.database import Database
from models.passwords import PasswordHashing
from models.sessions import end_session, start_session
from models.sign_in_attempts import count_attempt, forget_attempts, refuse_too_many
from models.sign_in_links import link_owner, use_sign_in_link
from models.users import password_hash_of

HOME = "/"
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")

SignInRequest = Request[Caller, None, State]


@dataclass(frozen=True)
class Credentials:
    """What the sign-in form sends."""

    email: str = ""
    password: str = ""
    next: str = HOME


class SignInController(Controller):
    """Everything that happens before and after a session."""

    opt = PUBLIC
    include_in_schema = False

    @get("/sign-in")
    async def show(self, request: SignInRequest, jar: NamedDependency[Cookies]) -> Response[Any]:
        """Show the form; whoever is signed in goes on."""
        place = local_path(request.query_params.get("next", HOME))
        if request.user.user is not None:
            return _go(place)
        return _form(request, jar, {"next": place})

    @post("/sign-in", status_code=HTTP_200_OK)
    async def sign_in(
        self,
        request: SignInRequest,
        data: URLEncodedBody[Credentials],
        database: NamedDependency[Database],
        passwords: NamedDependency[PasswordHashing],
        jar: NamedDependency[Cookies],
    ) -> Response[Any]:
        """Check the password and open a session."""
        try:
            token = await password_session(database, passwords, client_address(request), data)
        except (WrongCredentialsError, TooManyAttemptsError) as error:
            context = {"error": str(error), "email": data.email, "next": local_path(data.next)}
            return _form(request, jar, context, error.status)
        return await _opened(request, database, jar, token, local_path(data.next))

    @get("/sign-in/link/{token:str}")
    async def show_link(
        self,
        request: SignInRequest,
        token: FromPath[str],
        database: NamedDependency[Database],
        jar: NamedDependency[Cookies],
    ) -> Response[Any]:
        """Ask before the link is used up: programs that preview links must not spend it."""
        async with database.transaction() as session:
            name = await link_owner(session, token, wall_now(), is_local=is_local(request))
        return _form(request, jar, {"name": name, "token": token}, template="sign_in_link.html")

    @post("/sign-in/link/{token:str}", status_code=HTTP_200_OK)
    async def use_link(
        self,
        request: SignInRequest,
        token: FromPath[str],
        database: NamedDependency[Database],
        jar: NamedDependency[Cookies],
    ) -> Response[Any]:
        """Use the link up and open a session."""
        async with database.transaction() as session:
            user_id = await use_sign_in_link(session, token, wall_now(), is_local=is_local(request))
            opened = await start_session(session, user_id, wall_now())
        return await _opened(request, database, jar, opened, HOME)

    @post("/sign-out", opt=SIGNED_IN, status_code=HTTP_200_OK)
    async def sign_out(
        self, request: SignInRequest, database: NamedDependency[Database], jar: NamedDependency[Cookies]
    ) -> Response[Any]:
        """End the session here and in the database."""
        async with database.transaction() as session:
            await end_session(session, request.user.session)
        response = _go("/sign-in")
        response.cookies.extend(jar.ended())
        return response


async def password_session(
    database: Database, passwords: PasswordHashing, address: str, given: Credentials
) -> str:
    """Return a new session's secret; raises WrongCredentialsError or TooManyAttemptsError.

    The attempt is counted first, and a password is hashed whether or not the account exists.
    """
    wall = wall_now()
    async with database.transaction() as session:
        await count_attempt(session, address, given.email, wall)
    async with database.transaction() as session:
        await refuse_too_many(session, address, given.email, wall)
        found = await password_hash_of(session, given.email)
    is_right = await passwords.is_right(found[1] if found else None, given.password)
    if found is None or not is_right:
        raise WrongCredentialsError
    async with database.transaction() as session:
        await forget_attempts(session, address, given.email)
        return await start_session(session, found[0].id, wall)


async def _opened(
    request: SignInRequest, database: Database, jar: Cookies, token: str, place: str
) -> Response[Any]:
    """Hand out the new session and end the one that this browser had: an id from before is worth nothing."""
    if request.user.session:
        async with database.transaction() as session:
            await end_session(session, request.user.session)
    response = _go(place)
    response.cookies.extend([*jar.ended()[1:], jar.session(token)])
    return response


def _form(
    request: SignInRequest,
    jar: Cookies,
    context: dict[str, str],
    status: int = HTTP_200_OK,
    template: str = "sign_in.html",
) -> Template:
    """Render a form for a guest and bind its token to their browser."""
    guest = jar.guest(request.scope["state"].get(GUEST, ""))
    bound = [] if request.user.session else [guest]
    return Template(template, context=context, status_code=status, cookies=bound)


def _go(place: str) -> Response[Any]:
    return Redirect(place, status_code=HTTP_303_SEE_OTHER)


def local_path(place: str) -> str:
    """Return where to go on, if it is a page of ours: another site must not be able to say."""
    is_ours = place.startswith("/") and not place.startswith(("//", "/\\"))
    return place if is_ours and place.isprintable() and "\\" not in place else HOME


def client_address(request: SignInRequest) -> str:
    """Return where the request came from, as far as the server is configured to know."""
    return request.client.host if request.client else ""


def is_local(request: SignInRequest) -> bool:
    """Whether somebody on this machine asks. A request that passed a proxy could come from anywhere."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(client_address(request)).is_loopback
    except ValueError:
        return False
