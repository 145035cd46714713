"""What the simulated providers share: one route, credentials, and faults on demand."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl

from litestar import Controller, Request, Response, delete, post, route
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from integrations.simulators.connections import break_connection

Query = Mapping[str, Sequence[str]]
SILENT_SECONDS = 60.0
"""How long nothing comes where a fault does not say."""
LOCKED = {
    "error": {
        "type": "invalid_request_error",
        "code": "lock_timeout",
        "message": "This object cannot be accessed right now because another API request is accessing it.",
    }
}
"""Stripe's answer where another request is changing the same object; the others know no such thing."""


@dataclass(frozen=True)
class Answer:
    """What a provider answers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    done: Callable[[], None] = lambda: None
    """Called when the request is no longer under way."""


@dataclass(frozen=True)
class Ask:
    """What a provider was asked."""

    method: str
    path: str
    query: Query
    body: Any
    """What the JSON says; None where it is a form or nothing."""
    authorization: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""

    @property
    def form(self) -> list[tuple[str, str]]:
        """Return the parameters of the query and of a form."""
        asked = [(name, value) for name, values in self.query.items() for value in values]
        if self.body is not None:
            return asked
        return asked + parse_qsl(self.content.decode(errors="replace"), keep_blank_values=True)

    def first(self, name: str, default: str = "") -> str:
        """Return a query parameter's first value."""
        return next(iter(self.query.get(name, ())), default)


class ReadFault(StrEnum):
    """What can go wrong when a provider is asked; before it has understood, or only on the way back."""

    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    DROP = "drop"
    """It is done, and then the connection breaks."""
    HANG = "hang"
    """It is done, and then nothing comes for so many seconds, and then the connection breaks."""
    TIMEOUT = "timeout"
    """Nothing is done and nothing comes for so many seconds, and then the connection breaks."""
    RESET = "reset"
    """Nothing is done: the connection breaks at once."""
    LOCK_TIMEOUT = "lock_timeout"
    """429: another request is changing the same object."""
    TRUNCATE = "truncate"
    SLOW = "slow"
    UNAUTHORIZED = "unauthorized"


@dataclass
class ReadFaultRule:
    """The next `times` calls whose path begins so meet the fault, each `every`th of them."""

    fault: ReadFault
    times: int = 1
    path: str = ""
    every: int = 1
    seconds: float = 0.0
    """What Retry-After says, how slow the answer is, or how long nothing comes."""
    seen: int = 0
    method: str = ""
    customer: str = ""

    def takes(self, path: str, method: str = "", customer: str = "") -> bool:
        """Count a call, and tell whether it meets the fault."""
        if self.times == 0 or not path.startswith(self.path):
            return False
        if self.method not in {"", method} or self.customer not in {"", customer}:
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.times -= 1
        return True


class SimulatedProvider(Protocol):
    """One account at one provider."""

    name: str

    def answer(self, ask: Ask) -> Answer:
        """Answer as the provider would."""
        ...

    def refused(self, status: int) -> Any:
        """Return the body of an error in the provider's own words."""
        ...


@runtime_checkable
class KnowsCustomers(Protocol):
    """A provider whose faults can be one customer's."""

    def customer_of(self, ask: Ask) -> str:
        """Return the customer whom a request concerns, empty where it is nobody's."""
        ...


@dataclass
class Simulated:
    """A provider with what is to go wrong with it, and what it was asked."""

    provider: SimulatedProvider
    faults: list[ReadFaultRule] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def fault(self, ask: Ask) -> ReadFaultRule | None:
        """Return the fault that this call meets."""
        customer = self.provider.customer_of(ask) if isinstance(self.provider, KnowsCustomers) else ""
        return next((rule for rule in self.faults if rule.takes(ask.path, ask.method, customer)), None)


Simulations = dict[str, Simulated]


@route("/{name:str}/{path:path}", http_method=["GET", "POST", "PATCH", "DELETE"], status_code=200)
async def provider_call(
    name: FromPath[str],
    path: FromPath[str],
    request: Request[Any, Any, Any],
    simulations: NamedDependency[Simulations],
) -> Response[bytes]:
    """Answer a call to one of the simulated providers, or fail as told."""
    if name not in simulations:
        raise NotFoundException
    simulated = simulations[name]
    simulated.asked.append(f"{request.method} {path}")
    ask = await _asked(request, path)
    rule = simulated.fault(ask)
    fault = rule.fault if rule else None
    if rule and fault in {ReadFault.TIMEOUT, ReadFault.RESET}:
        await _silence(request, rule)
    answer = _spoilt(simulated.provider, rule) or _answered(simulated.provider, ask, fault)
    content = json.dumps(answer.body).encode()
    try:
        if rule and fault is ReadFault.SLOW:
            await asyncio.sleep(rule.seconds)
    finally:
        answer.done()
    if rule and fault in {ReadFault.DROP, ReadFault.HANG}:
        await _silence(request, rule)
    if fault is ReadFault.TRUNCATE:
        content = content[: len(content) // 2]
    return Response(
        content, status_code=answer.status, headers=dict(answer.headers), media_type="application/json"
    )


async def _asked(request: Request[Any, Any, Any], path: str) -> Ask:
    raw = await request.body()
    query: dict[str, list[str]] = {}
    for key, value in request.query_params.multi_items():
        query.setdefault(key, []).append(value)
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return Ask(
        request.method,
        path,
        query,
        None if is_form else json.loads(raw or b"null"),
        request.headers.get("authorization", ""),
        raw,
        dict(request.headers),
        str(request.base_url),
    )


async def _silence(request: Request[Any, Any, Any], rule: ReadFaultRule) -> None:
    """Let nothing come for as long as a rule says, and break the connection."""
    if rule.fault in {ReadFault.TIMEOUT, ReadFault.HANG}:
        await asyncio.sleep(rule.seconds or SILENT_SECONDS)
    await break_connection(request.scope)


def _answered(provider: SimulatedProvider, ask: Ask, fault: ReadFault | None) -> Answer:
    if fault in {ReadFault.TIMEOUT, ReadFault.RESET}:
        return Answer(None)
    return provider.answer(ask)


def _spoilt(provider: SimulatedProvider, rule: ReadFaultRule | None) -> Answer | None:
    if rule is None:
        return None
    if rule.fault is ReadFault.RATE_LIMIT:
        return Answer(provider.refused(429), 429, {"Retry-After": f"{rule.seconds:g}"})
    if rule.fault is ReadFault.LOCK_TIMEOUT:
        return Answer(LOCKED, 429)
    statuses = {ReadFault.SERVER_ERROR: 500, ReadFault.UNAUTHORIZED: 401}
    status = statuses.get(rule.fault)
    return None if status is None else Answer(provider.refused(status), status)


def faults_from(rules: Sequence[Mapping[str, Any]]) -> list[ReadFaultRule]:
    """Return faults from their JSON."""
    return [ReadFaultRule(**{**rule, "fault": ReadFault(rule["fault"])}) for rule in rules]


class ReadFaultController(Controller):
    """Faults of one provider: set and forgotten by tests, and by people who try things."""

    path = "/_control/{name:str}/faults"

    @post()
    async def put(
        self,
        name: FromPath[str],
        data: JSONBody[list[dict[str, Any]]],
        simulations: NamedDependency[Simulations],
    ) -> dict[str, int]:
        """Add faults: fault, times, path, every, seconds, method."""
        simulations[name].faults += faults_from(data)
        return {"faults": len(simulations[name].faults)}

    @delete()
    async def clear(self, name: FromPath[str], simulations: NamedDependency[Simulations]) -> None:
        """Forget every fault."""
        simulations[name].faults.clear()
