"""Secrets of providers that we must be able to read again: encrypted, never only hashed."""

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import EverstayError

PURPOSE = b"everstay/connections/1"
KEY_BYTES = 32


class UnreadableSecretsError(EverstayError):
    """The secrets were stored under another EVERSTAY_SECRET_KEY; set that key again, or connect anew."""


class Cipher:
    """Encrypts small JSON objects with a key derived from the installation's secret key."""

    def __init__(self, signing_key: str) -> None:
        """Derive a key for this purpose alone, so that what signs sessions opens nothing else."""
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=PURPOSE).derive(signing_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def encrypt(self, secrets: Mapping[str, str]) -> bytes:
        """Return bytes that only this key opens."""
        return self._fernet.encrypt(json.dumps(dict(secrets), sort_keys=True).encode())

    def decrypt(self, sealed: bytes) -> dict[str, str]:
        """Return what was encrypted, or raise UnreadableSecretsError."""
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(bytes(sealed)))
        except InvalidToken:
            raise UnreadableSecretsError from None
        return opened
