"""Random secrets that we hand out once and keep only as a hash."""

import hashlib
import secrets

SECRET_BYTES = 32


def new_secret(prefix: str = "") -> str:
    """Return 256 bits as text, behind a prefix that says what it opens."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def secret_hash(secret: str) -> str:
    """Return what is stored: a fast hash suffices, since the secret is random and long."""
    return hashlib.sha256(secret.encode()).hexdigest()
