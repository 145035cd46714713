"""Values that the database cannot hold, told as what they are: a fault of whoever sent them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from domain.errors import InvalidInputError

_STATES = frozenset({"22003", "22008", "22021", "22P05"})
"""A number or a date out of range, and characters that Postgres's text has no room for (SQLSTATE)."""


@contextmanager
def unstorable_is_invalid() -> Iterator[None]:
    """Turn such an error into InvalidInputError; every other goes through."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise _invalid("half of a character (a lone surrogate)") from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if "NUL (0x00)" in str(error.orig) or state in {"22021", "22P05"}:
            raise _invalid("a zero byte") from error
        if state in _STATES:
            raise _invalid("a number or a date that is out of range") from error
        raise


def _invalid(what: str) -> InvalidInputError:
    return InvalidInputError(field="value", reason=f"holds {what}, which cannot be stored")
