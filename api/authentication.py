"""Finds out who sent a request. It refuses nobody but bad keys; the guard decides who may what."""

import base64
import binascii

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from api.callers import Caller
from api.cookies import Cookies
from api.csrf import csrf_token, offer_token
from api.guards import REQUIREMENT, Access
from domain.permissions import NotSignedInError
from models.clock import wall_now
from models.database import Database
from models.keys import find_key
from models.secrets import new_secret
from models.sessions import session_user_id
from models.users import find_user

GUEST = "guest"
"""Key in the request's state under which a guest's secret waits for the sign-in page to set its cookie."""
STATIC = "/static/"

Connection = ASGIConnection[object, object, object, State]


class Authentication(ASGIMiddleware):
    """Sets `request.user` to a Caller, always, and prepares the form token of its browser."""

    def __init__(self, database: Database, cookies: Cookies, signing_key: str) -> None:
        """Take what it reads from."""
        self._database, self._cookies, self._signing_key = database, cookies, signing_key

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Name the caller, then go on. Files that are open to all cost no query."""
        connection: Connection = ASGIConnection(scope)
        caller = Caller() if _asks_nobody(scope) else await self._caller(connection)
        scope["user"], scope["auth"] = caller, None
        offer_token(connection, csrf_token(self._signing_key, caller.session or self._guest(connection)))
        await next_app(scope, receive, send)

    async def _caller(self, connection: Connection) -> Caller:
        """Prefer a key in the header: another site cannot make a browser send one."""
        header = connection.headers.get("authorization")
        if header is not None:
            return await self._key_holder(secret_in(header))
        token = connection.cookies.get(self._cookies.session_name)
        return await self._signed_in(token) if token else Caller()

    async def _key_holder(self, secret: str) -> Caller:
        async with self._database.transaction() as session:
            key = await find_key(session, secret, wall_now()) if secret else None
        if key is None:
            raise NotSignedInError
        return Caller(key=key)

    async def _signed_in(self, token: str) -> Caller:
        async with self._database.transaction() as session:
            user_id = await session_user_id(session, token, wall_now())
            user = await find_user(session, user_id) if user_id else None
        return Caller(user=user, session=token) if user else Caller()

    def _guest(self, connection: Connection) -> str:
        secret = connection.cookies.get(self._cookies.guest_name) or new_secret()
        connection.scope["state"][GUEST] = secret
        return secret


def _asks_nobody(scope: Scope) -> bool:
    """Whether nobody needs to be known: for files, and where the handler itself looks for a key."""
    looks_itself = scope["route_handler"].opt.get(REQUIREMENT) is Access.SENT_KEY
    return looks_itself or scope["path"].startswith(STATIC)


def secret_in(header: str) -> str:
    """Return the key of `Bearer <key>`, or of `Basic` with the key as the user, as tracking clients do."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
