"""What a playbook writes at a CRM: the port, and what a connection allows."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Protocol

from domain.time import BusinessInstant


class CrmWriter(Protocol):
    """Writes at one account of a CRM.

    Every method raises TransientProviderError where the provider certainly did not take it and may later,
    PermanentProviderError where it never will, UncertainDeliveryError where nobody can say.
    """

    async def set_properties(self, company: str, properties: Mapping[str, str]) -> None:
        """Set properties of a company; the same again changes nothing, so that in doubt it is repeated."""
        ...

    async def add_note(self, company: str, text: str, delivery_id: str, at: BusinessInstant) -> str:
        """Leave a note with our delivery id in it; return the provider's id of it."""
        ...

    async def find_note(self, delivery_id: str) -> str | None:
        """Return the provider's id of the note that carries a delivery id, None where there is none."""
        ...


class OpenCrm(Protocol):
    """Opens the writer of a connection."""

    def __call__(
        self, provider: str, options: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> AbstractAsyncContextManager[CrmWriter]:
        """Return the writer; its connections are closed at the end."""
        ...


SETTLE = timedelta(seconds=60)
"""How long after a note was left the search of a CRM can be trusted to know of it."""
CRMS = ("hubspot",)
"""The providers that can be written to."""
WRITES = "writes"
"""The option of a connection that names the properties that may be set, with commas between."""


def allowed(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the properties that a connection allows to be set: without the option none."""
    given = options.get(WRITES) or ""
    names = given.split(",") if isinstance(given, str) else given
    return frozenset(str(name).strip() for name in names if str(name).strip())


def not_allowed(options: Mapping[str, Any], properties: Collection[str]) -> list[str]:
    """Return the properties that may not be set, sorted."""
    return sorted(set(properties) - allowed(options))
