"""Passwords: hashed with argon2, compared in the same time whether the account exists or not."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import InvalidInputError

SHORTEST = 12
LONGEST = 256  # hashing costs more with length: a stranger must not choose how much
GENERATED_BYTES = 15  # 20 characters
TIME_COST, MEMORY_KIB, PARALLELISM = 3, 65_536, 4
"""RFC 9106, section 4: the recommendation for memory-constrained systems."""
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$qCp0aKl4r+XYQtrTVnSPog$m+D7IY1fAwc1dXXZuVBmC8Qn0rptL0HqauJLHAHLscc"
"""The hash, with the same cost, of a password that nobody knows: unknown accounts are compared with it."""


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
        """Take how many may run at once."""
        self._hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM)
        self._slots = asyncio.Semaphore(at_once)

    def hash(self, password: str) -> str:
        """Return the argon2id hash, parameters and salt included."""
        check_password_rules(password)
        return self._hasher.hash(password)

    async def is_right(self, stored: str | None, password: str) -> bool:
        """Whether the password belongs to the stored hash; without one the answer is no, as slowly."""
        async with self._slots:
            matches = await asyncio.to_thread(self._verify, stored or NOBODY, password[:LONGEST])
        return matches and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
