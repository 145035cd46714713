"""The key pair with which the SendGrid simulator signs its event webhooks."""

import base64
import os
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from integrations.sendgrid_events import SIGNATURE_HEADER, TIMESTAMP_HEADER

KEY_FILE = "sendgrid-webhook.pem"


class SigningKey:
    """An ECDSA P-256 key, kept in a folder so that a restart signs with the same one."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def in_folder(cls, folder: Path) -> "SigningKey":
        """Load the folder's key; make one at first use, whoever comes first (the file appears complete)."""
        path = folder / KEY_FILE
        if not path.exists():
            _create(path)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{path} holds a key of another kind; delete it, a new one will be made")
        return cls(key)

    @property
    def public_key(self) -> str:
        """Base64 of the SPKI form, as SendGrid shows it."""
        spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(spki).decode()

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the headers that prove to a receiver who sent the body, and when."""
        timestamp = str(int(time.time()))
        return {SIGNATURE_HEADER: self.sign(timestamp, body), TIMESTAMP_HEADER: timestamp}

    def sign(self, timestamp: str, body: bytes) -> str:
        """Sign timestamp and raw body, base64 of DER."""
        return base64.b64encode(self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))).decode()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(pem)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was quicker; its key is the one
    finally:
        draft.unlink()
