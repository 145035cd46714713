"""`everstay connect` itself: check what was given, try the credentials, and store the connection."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from domain.billing import BILLING_PROVIDERS
from domain.errors import EverstayError, InvalidInputError, NotFoundError
from domain.timeline import AS_TOLD
from integrations.billing import open_billing
from integrations.providers import PROVIDERS, READ, open_reader
from integrations.webhook_signatures import SCHEMES
from models.ciphers import Cipher, UnreadableSecretsError
from models.clock import open_clock, wall_now
from models.connections import Connection, get_listed, load_connection, save_connection
from models.database import Database, Session
from models.mapping_files import load_mapping
from models.sources import Source, connect_source, find_source, tells_customers
from models.webhook_mapping_files import load_webhook_mapping
from settings import Settings
from workers.connection_options import options_in
from workers.console import located_settings
from workers.embedded.connection import connect_temporal
from workers.pull_keeper import start_pull

PUSHED: Mapping[str, tuple[str, ...]] = {
    "intercom": ("tickets", "touchpoints"),
    "salesforce": ("contacts", "meetings", "touchpoints"),
    "calendar": ("meetings", "touchpoints"),
    "mail": ("touchpoints",),
    "webhook": (),
}
"""Providers that push (or, of a calendar, are fetched by the deliveries' stage), and what they tell."""
MAY_KEEP_CUSTOMERS = frozenset({"hubspot", "salesforce", "stripe", "zendesk"})
EVERY = {"calendar": "15m", "warehouse": "1d"}
DEFAULT_EVERY = "15m"
SHORTEST_SECONDS = 5.0
HOUR = 3600.0


class TemporalAwayError(EverstayError):
    """Temporal does not answer; look at `everstay doctor`."""


@dataclass(frozen=True)
class ConnectOrder:
    """What a person asks for. It holds names of variables, never their values."""

    provider: str
    name: str
    token_env: str | None = None
    webhook_secret_env: str | None = None
    base_url: str | None = None
    user: str | None = None
    every: str | None = None
    mapping: str | None = None
    folder: str | None = None
    options: tuple[str, ...] = ()
    customers: bool | None = None
    check: bool = True

    @property
    def source_id(self) -> str:
        """The id made of the name."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or self.provider

    @property
    def is_read(self) -> bool:
        """Whether we go and read it, by its own pace: without a token, Stripe can only push."""
        return self.provider in READ and bool(self.token_env or self.folder or not self.webhook_secret_env)


async def connect_provider(order: ConnectOrder) -> list[str]:
    """Store the connection and return what a person should know of it."""
    if order.provider not in {*READ, *PUSHED}:
        known = ", ".join(sorted({*READ, *PUSHED}))
        raise InvalidInputError(field="PROVIDER", reason=f"{order.provider} is none of {known}")
    connection = _connection(order)
    said = await _tried(connection) if order.is_read and order.check else []
    settings = located_settings()
    database = Database(settings.database_url or "", pool_size=1)
    try:
        return [*await _store(database, settings, order, connection), *said]
    finally:
        await database.close()


def _connection(order: ConnectOrder) -> Connection:
    secrets = {
        name: _secret(variable)
        for name, variable in (("token", order.token_env), ("webhook_secret", order.webhook_secret_env))
        if variable is not None
    }
    options = options_in(order.provider, order.options)
    options |= {"base_url": order.base_url.rstrip("/")} if order.base_url else {}
    options |= {"user": order.user} if order.user else {}
    options |= {"folder": str(Path(order.folder).resolve())} if order.folder else {}
    if order.mapping is not None:
        load = load_webhook_mapping if order.provider == "webhook" else load_mapping
        options["mapping"] = load(order.mapping).model_dump(mode="json")
    return Connection(order.source_id, order.provider, options, secrets, _every(order))


def _secret(variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise InvalidInputError(field=variable, reason="the environment variable is not set or empty")
    return value


def _every(order: ConnectOrder) -> float | None:
    if not order.is_read and order.provider != "calendar":
        if order.every is not None:
            raise InvalidInputError(field="--every", reason=f"{order.provider} pushes; it is not read")
        return None
    seconds = seconds_of(order.every or EVERY.get(order.provider, DEFAULT_EVERY))
    if seconds < SHORTEST_SECONDS:
        raise InvalidInputError(field="--every", reason=f"at least {SHORTEST_SECONDS:g}s")
    return seconds


UNITS = {"s": 1.0, "m": 60.0, "h": HOUR, "d": 24 * HOUR}


def seconds_of(text: str) -> float:
    """Return the seconds of 90s, 15m, 6h or 1d; raises InvalidInputError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if found is None:
        raise InvalidInputError(field="--every", reason=f"{text!r} is not like 90s, 15m, 6h or 1d")
    return float(found[1]) * UNITS[found[2]]


async def _tried(connection: Connection) -> list[str]:
    """Read a little, and say what may be read; of a billing provider also what may be billed."""
    given = (connection.provider, connection.options, connection.secrets)
    async with open_reader(*given) as reader:
        said = [await reader.check()]
    if connection.provider in BILLING_PROVIDERS:
        async with open_billing(*given, AS_TOLD) as billing:
            said.append(await billing.check())
    return said


async def _store(
    database: Database, settings: Settings, order: ConnectOrder, connection: Connection
) -> list[str]:
    clock = await open_clock(database)
    async with database.transaction() as session:
        known = await find_source(session, order.source_id)
        if known is not None and known.kind != order.provider:
            reason = f"{order.source_id} is a source of another kind ({known.kind}); give another --name"
            raise InvalidInputError(field="--name", reason=reason)
        keeps = order.customers
        if keeps is None:
            others = await tells_customers(session, besides=order.source_id)
            keeps = order.provider in MAY_KEEP_CUSTOMERS and not others
        provides = _provides(order, connection, keeps=keeps)
        source = Source(
            order.source_id, order.name, order.provider, provides, clock.now(), _rhythm(connection)
        )
        await connect_source(session, source)
        cipher = Cipher(settings.signing_key)
        connection = await _merged(session, connection, cipher)
        await save_connection(session, connection, cipher, wall_now())
    told = ", ".join(provides) or "what its mapping says"
    lines = [f"{order.name} is connected as {order.source_id}. It tells: {told}."]
    if order.provider in MAY_KEEP_CUSTOMERS and not keeps:
        lines.append("Customers are kept elsewhere: its companies are recognised by id, domain or e-mail.")
    if order.provider in READ and connection.pull_every_seconds is not None:
        lines.append(f"It is read every {connection.pull_every_seconds:g} s of wall time.")
    return [*lines, *_where(order, settings.base_url)]


async def _merged(session: Session, given: Connection, cipher: Cipher) -> Connection:
    """Keep of an earlier connection what the order does not bring: a new token leaves the webhooks be."""
    try:
        old = await load_connection(session, given.source_id, cipher)
    except (NotFoundError, UnreadableSecretsError):
        return given
    return replace(
        given,
        options={**old.options, **given.options},
        secrets={**old.secrets, **given.secrets},
        pull_every_seconds=given.pull_every_seconds or old.pull_every_seconds,
    )


def _where(order: ConnectOrder, base_url: str) -> list[str]:
    """Say how the provider reaches us, where it does."""
    if order.provider == "calendar":
        return ["Its feed is fetched beside the relay."]
    if order.provider == "mail":
        return ["Mail reaches it through SendGrid's Inbound Parse, at /webhooks/sendgrid/inbound."]
    if order.provider not in SCHEMES:
        return []
    end = "/SECRET, with its webhook secret in place of SECRET" if order.provider == "salesforce" else ""
    return [f"Webhooks go to {base_url}/webhooks/{order.source_id}{end}."]


def _provides(order: ConnectOrder, connection: Connection, *, keeps: bool) -> tuple[str, ...]:
    mapping = connection.options.get("mapping")
    if isinstance(mapping, Mapping):
        return tuple((mapping.get("source") or mapping).get("provides") or ())
    own = PROVIDERS[order.provider].provides if order.provider in PROVIDERS else PUSHED[order.provider]
    return ("customers", *own) if keeps else own


def _rhythm(connection: Connection) -> float | None:
    """Return how often something is expected: a source that is read is silent after some missed passes."""
    every = connection.pull_every_seconds
    return None if every is None else max(every / HOUR, 1.0)


async def ask_for_pull(source_id: str) -> None:
    """Have a connection read now."""
    settings = located_settings()
    database = Database(settings.database_url or "", pool_size=1)
    try:
        async with database.transaction() as session:
            found = await get_listed(session, source_id)
    finally:
        await database.close()
    if found.provider not in READ:
        raise InvalidInputError(field="SOURCE", reason=f"{source_id} pushes; it is not read")
    if found.paused_at is not None:
        raise InvalidInputError(field="SOURCE", reason=f"{source_id} is paused; resume it first")
    if not await start_pull(await connect_temporal(settings), source_id, "pull_now"):
        raise TemporalAwayError
