"""Who sent a request: a person with a session, a machine with a key, or nobody that we know."""

from dataclasses import dataclass
from uuid import UUID

from domain.permissions import NotSignedInError, Permission, may
from domain.time import BusinessInstant, WallInstant
from models.hands import Hand
from models.keys import ApiKey, KeyKind
from models.users import User


@dataclass(frozen=True)
class Caller:
    """The sender of one request. `session` is the secret of the browser's session, never shown."""

    user: User | None = None
    key: ApiKey | None = None
    session: str = ""

    @property
    def is_known(self) -> bool:
        """Whether anybody has signed in or sent a valid key."""
        return self.user is not None or self.key is not None

    @property
    def id(self) -> str:
        """Who it is, without a name: for logs and for keeping callers apart."""
        if self.user is not None:
            return f"user:{self.user.id}"
        return f"key:{self.key.id}" if self.key is not None else "nobody"

    @property
    def user_id(self) -> UUID | None:
        """The person that sends it, none for a key."""
        return self.user.id if self.user is not None else None

    @property
    def who(self) -> str:
        """Who it is, for a message to them."""
        if self.user is not None:
            return f"the role {self.user.role}"
        return f"the key {self.key.prefix}…" if self.key is not None else "nobody"

    def may(self, permission: Permission) -> bool:
        """Whether the user's role or the key's scopes hold the permission."""
        if self.user is not None:
            return may(self.user.role, permission)
        return self.key is not None and self.key.kind is KeyKind.API and permission in self.key.scopes

    def signed_in(self) -> User:
        """Return the user; raises NotSignedInError for a key and for nobody."""
        if self.user is None:
            raise NotSignedInError
        return self.user


def hand(caller: Caller, now: BusinessInstant, wall: WallInstant) -> Hand:
    """Return whose hand it is, for records: a person by name, a program by its key."""
    if caller.user is not None:
        return Hand(caller.user.name, caller.user.id, now, wall)
    return Hand(caller.key.name or caller.key.prefix if caller.key else "nobody", None, now, wall)
