"""Passwords: hashed with argon2, compared in the same time whether the account exists or not."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import InvalidInputError

SHORTEST = 12
LONGEST = 256  # hashing costs more with length: a stranger must not choose how much
GENERATED_BYTES = 15  # 20 characters


def generate_password() -> str:
    """Make a password that nobody has to invent."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def check_password_rules(password: str) -> None:
    """Refuse what is too short or absurdly long; no other rule makes passwords better (NIST SP 800-63B)."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInputError(field="password", reason=f"needs {SHORTEST} to {LONGEST} characters")


class PasswordHashing:
    """Hashes and verifies off the event loop, few at a time: each takes 64 MB for its while."""

    def __init__(self, *, at_once: int = 2) -> None:
        """Prepare the hash that unknown accounts are compared with."""
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe())
        self._slots = asyncio.Semaphore(at_once)

    def hash(self, password: str) -> str:
        """Return the argon2id hash, parameters and salt included."""
        check_password_rules(password)
        return self._hasher.hash(password)

    async def is_right(self, stored: str | None, password: str) -> bool:
        """Whether the password belongs to the stored hash; without one the answer is no, as slowly."""
        async with self._slots:
            matches = await asyncio.to_thread(self._verify, stored or self._nobody, password[:LONGEST])
        return matches and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
