"""The control API: faults, switches and reactions on demand, for tests, demos and chaos."""

import time
from dataclasses import asdict
from typing import Any

import msgspec
from litestar import Controller, delete, get, patch, post, put
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery, JSONBody

from integrations.faults import Fault, FaultRule
from integrations.simulators.sendgrid.given import GivenProvider, GivenReader
from integrations.simulators.sendgrid.provider import SimulatedSendGrid
from integrations.simulators.sendgrid.reactions import Reaction


class PutFault(msgspec.Struct, forbid_unknown_fields=True):
    """Addresses with this prefix meet the fault, `times` times or until it is removed."""

    fault: Fault
    prefix: str = ""
    times: int | None = None


class ChangeSwitches(msgspec.Struct, forbid_unknown_fields=True):
    """What is given changes; the rest stays."""

    look_up_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    look_up_lag_seconds: float | msgspec.UnsetType = msgspec.UNSET
    answer_seconds: float | msgspec.UnsetType = msgspec.UNSET
    webhook_url: str | msgspec.UnsetType | None = msgspec.UNSET
    webhook_duplicates: bool | msgspec.UnsetType = msgspec.UNSET
    webhook_out_of_order: bool | msgspec.UnsetType = msgspec.UNSET
    inbound_url: str | msgspec.UnsetType | None = msgspec.UNSET


class React(msgspec.Struct, forbid_unknown_fields=True):
    """A reaction to the last message with the delivery id; `text` is a reply's words or a click's address."""

    delivery_id: str
    reaction: Reaction
    text: str = ""


class ControlController(Controller):
    """What a test, a demo or the chaos run turns."""

    path = "/_control"

    @get("/")
    async def show(self, provider: GivenProvider) -> dict[str, Any]:
        """Show faults, switches and how many events wait for their webhook."""
        return _state(provider)

    @put("/faults")
    async def put_fault(self, provider: GivenProvider, data: JSONBody[PutFault]) -> dict[str, Any]:
        """Add a fault, in place of one with the same prefix."""
        provider.faults.put(FaultRule(data.prefix.lower(), data.fault, data.times))
        return _state(provider)

    @delete("/faults", status_code=200)
    async def delete_faults(
        self, provider: GivenProvider, prefix: FromQuery[str | None] = None
    ) -> dict[str, Any]:
        """Remove the fault of a prefix, or all."""
        if prefix is None:
            provider.faults.clear()
        else:
            provider.faults.remove(prefix.lower())
        return _state(provider)

    @patch("/switches")
    async def change_switches(
        self, provider: GivenProvider, data: JSONBody[ChangeSwitches]
    ) -> dict[str, Any]:
        """Change how the simulator behaves."""
        given = {name: getattr(data, name) for name in data.__struct_fields__}
        changed = {name: value for name, value in given.items() if value is not msgspec.UNSET}
        provider.switches = msgspec.structs.replace(provider.switches, **changed)
        provider.webhook_ready.set()
        return _state(provider)

    @post("/reactions")
    async def react(
        self, provider: GivenProvider, reader: GivenReader, data: JSONBody[React]
    ) -> dict[str, Any]:
        """Let the recipient of a message do something."""
        message = provider.store.by_delivery(data.delivery_id)
        if message is None:
            raise NotFoundException(detail="no message has this delivery id")
        await reader.react(message, data.reaction, data.text)
        return _state(provider)

    @post("/webhooks/resend")
    async def resend(self, provider: GivenProvider) -> dict[str, Any]:
        """Deliver every event again."""
        provider.store.make_due(time.time())
        provider.webhook_ready.set()
        return _state(provider)

    @post("/reset")
    async def reset(self, provider: GivenProvider) -> dict[str, Any]:
        """Forget every message and fault."""
        provider.store.clear()
        provider.faults.clear()
        return _state(provider)


def _state(provider: SimulatedSendGrid) -> dict[str, Any]:
    return {
        "faults": [asdict(rule) for rule in provider.faults.rules],
        "switches": msgspec.structs.asdict(provider.switches),
        "webhooks_waiting": provider.store.waiting_webhooks(),
    }
