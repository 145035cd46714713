"""Reach a billing provider from an activity: open its account, and ask again where it cannot answer."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from temporalio.exceptions import ApplicationError

from activities.delays import asked_delay
from domain.billing import BillingProvider
from domain.errors import TransientProviderError, UncertainDeliveryError

OpenBilling = Callable[[str], AbstractAsyncContextManager[BillingProvider]]
"""Opens the account of a source; NotFoundError and PermanentProviderError where there is none to open."""
NO_ANSWER = "the billing provider cannot answer now"
"""What Temporal hears; a provider's own words stay with us."""


@asynccontextmanager
async def asking() -> AsyncIterator[None]:
    """Have the activity repeated where the provider did not answer a question; asking changes nothing."""
    try:
        yield
    except (TransientProviderError, UncertainDeliveryError) as error:
        raise ApplicationError(NO_ANSWER, next_retry_delay=asked_delay(error)) from None
