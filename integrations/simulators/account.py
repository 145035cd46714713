"""The simulated SendGrid account: its API key, and the key that its webhooks are signed with."""

from pathlib import Path

from integrations.simulators.signing import SigningKey

SIMULATOR_API_KEY = "SG.simulator"
"""The key of the simulated account; it opens nothing but the simulator on this machine."""
FOLDER = "simulators"


def simulator_public_key(home: Path) -> str:
    """Return the key that verifies the simulator's webhooks; made here when the simulator never ran yet."""
    return SigningKey.in_folder(home / FOLDER).public_key
