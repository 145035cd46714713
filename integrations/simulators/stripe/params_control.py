"""What calls of the control API take."""

import datetime as dt
from typing import Literal

import msgspec

from integrations.simulators.stripe.account import WEBHOOK_SECRET
from integrations.simulators.stripe.companies import Card


class SetClock(msgspec.Struct, forbid_unknown_fields=True):
    """What the clock shows now, and how many of its seconds go by in one of the wall's; 0 stands still."""

    at: dt.datetime
    rate: float = 1.0


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """How far the clock moves."""

    days: float = 0.0
    seconds: float = 0.0


class Pay(msgspec.Struct, forbid_unknown_fields=True):
    """The customer transfers money for an invoice; without an amount all that remains."""

    invoice: str
    amount: int | None = None


class Enter(msgspec.Struct, forbid_unknown_fields=True):
    """The customer enters another card."""

    customer: str
    card: Card = msgspec.field(default_factory=Card)


class Dispute(msgspec.Struct, forbid_unknown_fields=True):
    """The customer disputes a charge, or the last one that an invoice was paid with."""

    charge: str = ""
    invoice: str = ""
    reason: str = "fraudulent"
    amount: int | None = None


class CloseDispute(msgspec.Struct, forbid_unknown_fields=True):
    """How a dispute ends."""

    status: Literal["won", "lost"]


class Settle(msgspec.Struct, forbid_unknown_fields=True):
    """A payment that was pending arrives, or comes back."""

    payment_intent: str
    succeeds: bool = True


class Endpoint(msgspec.Struct, forbid_unknown_fields=True):
    """Where events go; None stops them."""

    url: str | None
    secret: str = WEBHOOK_SECRET
    api_version: str | None = None
    enabled_events: list[str] = msgspec.field(default_factory=lambda: ["*"])
