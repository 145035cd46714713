import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import Settings
from tests.workers.embedded.support import fresh_settings
from workers.embedded.errors import PortTakenError
from workers.embedded.ports import free_ports, port_fields, port_holder, settle_ports

pytestmark = pytest.mark.integration


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this test listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def settings(tmp_path: Path, taken: int) -> Settings:
    return fresh_settings(tmp_path).model_copy(update={"temporal_port": taken})


def test_free_ports_are_kept(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path)
    assert settle_ports(settings, auto=True) == settings


def test_a_taken_port_is_refused_with_its_use_its_variable_and_its_holder(
    settings: Settings, taken: int
) -> None:
    with pytest.raises(PortTakenError) as refused:
        settle_ports(settings, auto=False)
    message = str(refused.value)
    assert f"Port {taken} (Temporal, EVERSTAY_TEMPORAL_PORT) is taken by" in message
    assert f"(pid {os.getpid()})" in message
    assert "--auto-ports" in message


def test_automatic_ports_replace_only_the_taken_one(settings: Settings, taken: int) -> None:
    settled = settle_ports(settings, auto=True)
    assert settled.temporal_port != taken
    assert settled.model_copy(update={"temporal_port": taken}) == settings


def test_ports_of_services_that_the_settings_name_elsewhere_are_not_wanted(tmp_path: Path) -> None:
    elsewhere = {"database_url": "postgresql+psycopg://u@h/d", "temporal_address": "h:7233"}
    assert set(port_fields(fresh_settings(tmp_path).model_copy(update=elsewhere))) == {
        "api_port",
        "simulators_port",
    }


def test_nobody_holds_a_free_port() -> None:
    assert port_holder(free_ports(1)[0]) is None


def test_free_ports_are_all_different_and_none_that_an_outgoing_connection_may_take() -> None:
    ports = free_ports(50)
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    assert len(set(ports)) == len(ports) == 50
    assert max(ports) < first


def test_more_free_ports_than_there_are_is_an_error() -> None:
    with pytest.raises(OSError, match="are free"):
        free_ports(20_000)
