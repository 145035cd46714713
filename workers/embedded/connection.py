"""A Temporal client as the settings say: embedded server, own cluster with mTLS, or Cloud with an API key."""

from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import TLSConfig

from settings import Settings
from workers.embedded.ports import LOCAL


async def connect_temporal(settings: Settings) -> Client:
    """Connect to the namespace of this installation; raises what temporalio raises."""
    key = settings.temporal_api_key
    return await Client.connect(
        settings.temporal_address or f"{LOCAL}:{settings.temporal_port}",
        namespace=settings.temporal_namespace,
        data_converter=pydantic_data_converter,
        api_key=key.get_secret_value() if key else None,
        tls=_tls(settings) or bool(key) or settings.temporal_tls,
    )


def _tls(settings: Settings) -> TLSConfig | None:
    if not (settings.temporal_tls_ca or settings.temporal_tls_cert):
        return None
    return TLSConfig(
        server_root_ca_cert=_read(settings.temporal_tls_ca),
        client_cert=_read(settings.temporal_tls_cert),
        client_private_key=_read(settings.temporal_tls_key),
    )


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None
