"""Calls of Stripe's client as plain bodies and our own errors."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import stripe

from integrations.stripe_errors import is_absent, provider_error
from integrations.stripe_shapes import Body

Call = Awaitable[stripe.StripeObject]


async def read(call: Call) -> Body:
    """Return what a call that changes nothing answers."""
    return await _answered(call, changes=False)


async def change(call: Call) -> Body:
    """Return what a call that changes something answers; it may end in doubt."""
    return await _answered(call, changes=True)


async def find(call: Call) -> Body | None:
    """Return what a reading call answers, None where there is no such object, or no more."""
    try:
        body = (await call).to_dict()
    except stripe.StripeError as error:
        if is_absent(error):
            return None
        raise provider_error(error, changes=False) from error
    return None if body.get("deleted") else body


async def whole(given: Any, fetch: Callable[[str], Call]) -> Body | None:
    """Return an object that was told whole, or fetch it where only its id was told."""
    if given is None or isinstance(given, Mapping):
        return given
    return await find(fetch(str(given)))


def once(delivery_id: str) -> stripe.RequestOptions:
    """Return the options of a call that is one request however often it is made."""
    return {"idempotency_key": delivery_id}


async def _answered(call: Call, *, changes: bool) -> Body:
    try:
        return (await call).to_dict()
    except stripe.StripeError as error:
        raise provider_error(error, changes=changes) from error
