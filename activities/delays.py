"""Whether and when a provider that cannot do it now is asked again soon; if not, the caller puts it off."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError

from domain.errors import TransientProviderError, UncertainDeliveryError

QUICK_RETRIES = 4
"""Attempts close together before what a provider cannot do now is put off by business time."""
LONGEST_PAUSE = timedelta(seconds=60)
"""A provider that asks for more than this between two attempts is not asked soon."""
LONGEST = timedelta(days=1)
"""A provider that names a longer time is asked again after this: its word is no plan of ours."""


def asked_delay(error: TransientProviderError | UncertainDeliveryError) -> timedelta | None:
    """Return the wait that the provider named, None where it named none."""
    given = error.details.get("retry_after")
    return min(timedelta(seconds=float(given)), LONGEST) if isinstance(given, int | float) else None


def ask_again_soon(
    error: TransientProviderError | UncertainDeliveryError,
    words: str,
    attempt: int,
    least: timedelta | None = None,
) -> None:
    """Have the activity repeated, unless this attempt was the last or the provider asks for a long rest.

    `words` is what Temporal hears: a provider's own stay in our database. `least` is a wait of our own.
    """
    delay = max((one for one in (asked_delay(error), least) if one is not None), default=None)
    if attempt < QUICK_RETRIES and (delay is None or delay <= LONGEST_PAUSE):
        raise ApplicationError(words, next_retry_delay=delay) from None
