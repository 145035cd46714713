from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from integrations.sendgrid_sender import SendGridEmailSender, SendGridOptions
from integrations.simulators.account import SIMULATOR_API_KEY
from integrations.simulators.server import SimulatorOptions
from tests.support.simulators import running_simulators
from tests.support.stripe_simulator import StripeOffice, open_office


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a simulator of this test alone."""
    async with running_simulators(SimulatorOptions(home=tmp_path, port=0)) as url:
        yield url


@pytest.fixture
async def http(simulator: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that simulator."""
    async with httpx.AsyncClient(base_url=simulator, trust_env=False) as client:
        yield client


@pytest.fixture
async def sender(simulator: str) -> AsyncIterator[SendGridEmailSender]:
    """The real adapter, with the official client, against that simulator."""
    opened = SendGridEmailSender(
        SendGridOptions(SIMULATOR_API_KEY, simulator, timeout_seconds=2.0, has_look_up=True, settle_seconds=0)
    )
    yield opened
    opened.close()


@pytest.fixture
async def office(simulator: str) -> AsyncIterator[StripeOffice]:
    """The simulated Stripe account of that simulator."""
    async with open_office(simulator) as opened:
        yield opened
