"""What an error of Stripe's client means: one of our three; a charge that was refused is none of them."""

import httpx
import stripe

from domain.errors import (
    EverstayError,
    PermanentProviderError,
    TransientProviderError,
    UncertainDeliveryError,
)
from integrations.provider_http import BAD_REQUEST, NOT_FOUND, SERVER_ERROR, TOO_MANY, retry_after
from integrations.stripe_http import PROVIDER
from integrations.stripe_shapes import Body

CONFLICT = 409
MISSING = "resource_missing"
NEVER_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""No byte of the request has left, so it certainly changed nothing."""


def provider_error(error: stripe.StripeError, *, changes: bool) -> EverstayError:
    """Translate; `changes` says whether the call would have changed something.

    A call that changes nothing may always be repeated. One that does is in doubt when it broke off, when
    Stripe failed at it (5xx), or when the same key is under way (409).
    """
    if error.http_status == TOO_MANY or isinstance(error, stripe.RateLimitError):  # also: its lock is held
        return _transient(error)
    if _may_have_changed(error):
        if not changes or isinstance(error.__cause__, NEVER_WRITTEN):
            return _transient(error)
        return UncertainDeliveryError(provider=PROVIDER, reason=_words(error))
    return PermanentProviderError(provider=PROVIDER, reason=_words(error))


def is_absent(error: stripe.StripeError) -> bool:
    """Tell that Stripe has no such object, which is not the same as an address that it does not know."""
    return error.http_status == NOT_FOUND and error.code == MISSING


def body_of(error: stripe.StripeError) -> Body:
    """Return what Stripe says of an error, as it came."""
    told = error.json_body.get("error") if isinstance(error.json_body, dict) else None
    return told if isinstance(told, dict) else {}


def _may_have_changed(error: stripe.StripeError) -> bool:
    """Anything but a clear no: no answer, an unreadable yes, a conflict with itself, a failure."""
    status = error.http_status or 0
    return status < BAD_REQUEST or status == CONFLICT or status >= SERVER_ERROR


def _transient(error: stripe.StripeError) -> TransientProviderError:
    asked = retry_after(httpx.Headers(error.headers))
    return TransientProviderError(provider=PROVIDER, reason=_words(error), retry_after=asked)


def _words(error: stripe.StripeError) -> str:
    """Return Stripe's own words and the parameter that they are about."""
    told = body_of(error)
    if not told:
        answered = f"it answered {error.http_status} with something unreadable"
        return answered if error.http_status else str(error.user_message)
    words = str(told.get("message") or told.get("code") or f"it answered {error.http_status}").rstrip(".")
    return f"{words} (parameter {told['param']})" if told.get("param") else words
