"""The web application against a database of the test, and people who sign in to it."""

import functools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient
from litestar.types import Receive, Scope, Send

from api.app import create_app
from domain.vocabulary import Role
from integrations.simulators.signing import SigningKey
from models.clock import wall_now
from models.database import Database
from models.users import User, add_user
from settings import Settings
from tests.support.probes import PROBES

PASSWORD = "correct horse battery"
SIGNING_KEY = "0123456789abcdef0123456789abcdef"
SESSION = "everstay_session"
TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]+)"')

Client = AsyncTestClient[Litestar]


@functools.cache
def provider_key() -> SigningKey:
    """The key that the mail provider of every test signs with."""
    return SigningKey(ec.generate_private_key(ec.SECP256R1()))


def web_settings(database_url: str, **overrides: object) -> Settings:
    """Settings of an installation on this database, whatever the environment says."""
    given = {
        "database_url": database_url,
        "secret_key": SIGNING_KEY,
        "database_pool_size": 5,
        "sendgrid_webhook_public_key": provider_key().public_key,
        **overrides,
    }
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]  # pydantic validates the overrides


@asynccontextmanager
async def web_client(settings: Settings) -> AsyncIterator[Client]:
    """A browser that has never been here."""
    app = _stopped.pop(settings, None) or _application(settings)
    app.state.address = "127.0.0.1"
    async with AsyncTestClient(app, base_url="http://127.0.0.1") as client:
        yield client
    _stopped[settings] = app


_stopped: dict[Settings, Litestar] = {}
"""Applications that can be started again: to make one takes longer than most tests."""


def _application(settings: Settings) -> Litestar:
    app = create_app(settings)
    for probe in PROBES:
        app.register(probe)
    _come_from_an_address(app)
    return app


def _come_from_an_address(app: Litestar) -> None:
    """Let requests come from `app.state.address`: the test client itself has none that could be one."""
    handler = app.asgi_handler

    async def from_there(scope: Scope, receive: Receive, send: Send) -> None:
        scope["client"] = (app.state.address, 50_000)
        await handler(scope, receive, send)

    app.asgi_handler = from_there


@functools.cache
def password_hash() -> str:
    """Made cheaply: the cost of checking a password stands in its hash, and tests check many."""
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


async def someone(database: Database, role: Role = Role.CSM, email: str | None = None) -> User:
    """A user with the password of all test users."""
    async with database.transaction() as session:
        address = email or f"{role}@example.com"
        return await add_user(
            session, address, str(role).title(), role, wall_now(), password_hash=password_hash()
        )


def csrf_in(page: Response) -> str:
    """The token in the page's form."""
    found = TOKEN.search(page.text)
    assert found is not None, page.text
    return found[1]


async def sign_in(client: Client, email: str, password: str = PASSWORD, **fields: str) -> Response:
    """Fill in the form as a browser does."""
    token = csrf_in(await client.get("/sign-in"))
    form = {"email": email, "password": password, "_csrf_token": token, **fields}
    return await client.post("/sign-in", data=form, follow_redirects=False)
