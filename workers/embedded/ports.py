"""Every port of the stack is free before anything starts, or the person hears by whom it is taken."""

import errno
import random
import socket
from contextlib import suppress
from itertools import islice

import psutil

from settings import PREFIX, Settings
from workers.embedded.errors import PortTakenError

LOCAL = "127.0.0.1"
CHOSEN = range(20_000, 32_768)
"""Above the services that are known by their port, below what Linux gives to outgoing connections:
https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range)."""
_CHANCE = random.SystemRandom()
"""Not the seeded one: two processes of one test run must not choose alike."""


def port_fields(settings: Settings) -> dict[str, str]:
    """Return the settings that name a port which the stack itself opens, each with what uses it."""
    fields = {"api_port": "API and pages", "simulators_port": "simulators and mailbox"}
    if settings.database_url is None:
        fields["postgres_port"] = "Postgres"
    if settings.temporal_address is None:
        fields |= {"temporal_port": "Temporal", "temporal_ui_port": "Temporal UI"}
    return fields


def settle_ports(settings: Settings, *, auto: bool) -> Settings:
    """Return settings whose ports are free; taken ones are replaced if `auto`, else refused together."""
    taken = {
        field: what for field, what in port_fields(settings).items() if not is_free(_port(settings, field))
    }
    if not taken:
        return settings
    if not auto:
        lines = "".join(
            _complaint(field, _port(settings, field), what) + "\n" for field, what in taken.items()
        )
        raise PortTakenError(lines=lines)
    return settings.model_copy(update=dict(zip(taken, free_ports(len(taken)), strict=True)))


def _port(settings: Settings, field: str) -> int:
    return int(getattr(settings, field))


def _complaint(field: str, port: int, what: str) -> str:
    holder = port_holder(port)
    return f"Port {port} ({what}, {PREFIX}{field.upper()}) is taken" + (f" by {holder}." if holder else ".")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCAL, port))
        except OSError:
            return False
    return True


def port_holder(port: int) -> str | None:
    """Name the process that listens on the port, where this user may know."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("inet"):
            here = connection.laddr.port if connection.laddr else None
            if here == port and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return None


def listens(pid: int, port: int) -> bool:
    """Whether this very process listens on the port."""
    connections = psutil.Process(pid).net_connections("tcp")
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def free_ports(count: int) -> list[int]:
    """Return ports that are free now, all different, and which no outgoing connection takes meanwhile.

    A port that the kernel chooses is one of those that it gives to outgoing connections too, and so may be
    taken again before its server listens. Raises OSError where none is left.
    """
    found = list(islice(filter(is_free, _CHANCE.sample(CHOSEN, len(CHOSEN))), count))
    if len(found) < count:
        raise OSError(
            errno.EADDRINUSE, f"only {len(found)} of the ports {CHOSEN[0]} to {CHOSEN[-1]} are free"
        )
    return found
