"""The official clients deliver every message once, although an answer is lost and a 503 comes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from posthog import Posthog
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient

from tests.clients.conftest import Running
from tests.clients.gateway import running_gateway
from tests.house.repository import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FEW, MANY = 120, 10_000
AT_ONCE = 50
QUEUE = 50_000
PROPERTIES = {"feature": "reports", "note": "zoë \N{SLIGHTLY SMILING FACE}"}

Deliver = Callable[[str, str, int], None]


def segment(url: str, key: str, count: int) -> None:
    client = SegmentClient(
        key,
        host=url,
        gzip=True,
        max_retries=10,
        max_queue_size=QUEUE,
        upload_size=AT_ONCE,
        upload_interval=0.1,
    )
    for number in range(count):
        client.track(f"user-{number % 50}", "Report Viewed", {**PROPERTIES, "number": number})
    client.flush()
    client.join()


def rudder(url: str, key: str, count: int) -> None:
    client = RudderClient(
        key,
        host=url,
        gzip=True,
        max_retries=10,
        max_queue_size=QUEUE,
        upload_size=AT_ONCE,
        upload_interval=0.1,
    )
    for number in range(count):
        client.track(f"user-{number % 50}", "Report Viewed", {**PROPERTIES, "number": number})
    client.flush()
    client.join()


def posthog(url: str, key: str, count: int) -> None:
    client = Posthog(
        key, host=url, gzip=True, max_retries=10, max_queue_size=QUEUE, flush_at=AT_ONCE, flush_interval=0.1
    )
    for number in range(count):
        groups = {"company": f"company-{number % 7}"}
        about = {**PROPERTIES, "number": number}
        client.capture("Report Viewed", distinct_id=f"user-{number % 50}", properties=about, groups=groups)
    client.shutdown()


def in_node(folder: Path, client: str) -> Deliver:
    def deliver(url: str, key: str, count: int) -> None:
        node = [str(ROOT / "tools" / "with_node"), "node", str(folder / "deliver.mjs")]
        subprocess.run([*node, client, url, key, str(count)], cwd=folder, check=True, timeout=200)

    return deliver


def assert_delivered_once(running: Running, deliver: Deliver, count: int, encoding: str = "gzip") -> None:
    key, source_id = running.new_key()
    with running_gateway(running.url) as gateway:
        deliver(gateway.url, key, count)
        stored, different, repeats = running.counted(source_id)
    assert gateway.faults == []
    assert (stored, different) == (count, count)
    assert repeats > 0, "the lost answer made nobody send again"
    assert set(gateway.encodings) == {encoding}


PYTHON = [segment, rudder, posthog]
NODE = [("segment", ""), ("rudder", "gzip")]
"""With what each zips; Segment's Node client does not."""


@pytest.mark.parametrize("deliver", PYTHON)
def test_a_python_client_delivers_every_message_once(running: Running, deliver: Deliver) -> None:
    assert_delivered_once(running, deliver, FEW)


@pytest.mark.parametrize(("client", "encoding"), NODE)
def test_a_node_client_delivers_every_message_once(
    running: Running, node_clients: Path, client: str, encoding: str
) -> None:
    assert_delivered_once(running, in_node(node_clients, client), FEW, encoding)


@pytest.mark.proof
@pytest.mark.parametrize("deliver", PYTHON)
def test_a_python_client_delivers_ten_thousand_messages_once(running: Running, deliver: Deliver) -> None:
    assert_delivered_once(running, deliver, MANY)


@pytest.mark.proof
@pytest.mark.parametrize(("client", "encoding"), NODE)
def test_a_node_client_delivers_ten_thousand_messages_once(
    running: Running, node_clients: Path, client: str, encoding: str
) -> None:
    assert_delivered_once(running, in_node(node_clients, client), MANY, encoding)
