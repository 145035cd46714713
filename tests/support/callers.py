"""Users that no database knows."""

import uuid

from domain.vocabulary import Role
from models.users import User


def user(role: Role) -> User:
    """Somebody with this role."""
    return User(uuid.UUID(int=1), f"{role}@example.com", str(role), role, "", None, None, "UTC", None)
