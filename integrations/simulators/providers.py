"""What the simulated providers share: one route, credentials, and faults on demand."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from litestar import Controller, Request, Response, delete, post, route
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from integrations.simulators.connections import break_connection

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Answer:
    """What a provider answers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """What a provider was asked."""

    method: str
    path: str
    query: Query
    body: Any
    authorization: str

    def first(self, name: str, default: str = "") -> str:
        """Return a query parameter's first value."""
        return next(iter(self.query.get(name, ())), default)


class ReadFault(StrEnum):
    """What can go wrong when something is read."""

    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    DROP = "drop"
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
    """What Retry-After says, or how slow the answer is."""
    seen: int = 0

    def takes(self, path: str) -> bool:
        """Count a call, and tell whether it meets the fault."""
        if self.times == 0 or not path.startswith(self.path):
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


@dataclass
class Simulated:
    """A provider with what is to go wrong with it, and what it was asked."""

    provider: SimulatedProvider
    faults: list[ReadFaultRule] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def fault(self, path: str) -> ReadFaultRule | None:
        """Return the fault that this call meets."""
        return next((rule for rule in self.faults if rule.takes(path)), None)


Simulations = dict[str, Simulated]


@route("/{name:str}/{path:path}", http_method=["GET", "POST", "PATCH"])
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
    raw = await request.body()
    query: dict[str, list[str]] = {}
    for key, value in request.query_params.multi_items():
        query.setdefault(key, []).append(value)
    ask = Ask(
        request.method, path, query, json.loads(raw or b"null"), request.headers.get("authorization", "")
    )
    rule = simulated.fault(path)
    answer = _spoilt(simulated.provider, rule) or simulated.provider.answer(ask)
    content = json.dumps(answer.body).encode()
    if rule is not None and rule.fault is ReadFault.SLOW:
        await asyncio.sleep(rule.seconds)
    if rule is not None and rule.fault is ReadFault.DROP:
        await break_connection(request.scope)
    if rule is not None and rule.fault is ReadFault.TRUNCATE:
        content = content[: len(content) // 2]
    return Response(
        content, status_code=answer.status, headers=dict(answer.headers), media_type="application/json"
    )


def _spoilt(provider: SimulatedProvider, rule: ReadFaultRule | None) -> Answer | None:
    if rule is None:
        return None
    if rule.fault is ReadFault.RATE_LIMIT:
        return Answer(provider.refused(429), 429, {"Retry-After": f"{rule.seconds:g}"})
    statuses = {ReadFault.SERVER_ERROR: 500, ReadFault.UNAUTHORIZED: 401}
    status = statuses.get(rule.fault)
    return None if status is None else Answer(provider.refused(status), status)


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
        """Add faults: fault, times, path, every, seconds."""
        simulations[name].faults += [
            ReadFaultRule(**{**rule, "fault": ReadFault(rule["fault"])}) for rule in data
        ]
        return {"faults": len(simulations[name].faults)}

    @delete()
    async def clear(self, name: FromPath[str], simulations: NamedDependency[Simulations]) -> None:
        """Forget every fault."""
        simulations[name].faults.clear()
