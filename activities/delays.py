"""How long a provider asks us to wait before we try again."""

from datetime import timedelta

from domain.errors import TransientProviderError, UncertainDeliveryError

LONGEST = timedelta(days=1)
"""A provider that names a longer time is asked again after this: its word is no plan of ours."""


def asked_delay(error: TransientProviderError | UncertainDeliveryError) -> timedelta | None:
    """Return the wait that the provider named, None where it named none."""
    given = error.details.get("retry_after")
    return min(timedelta(seconds=float(given)), LONGEST) if isinstance(given, int | float) else None
