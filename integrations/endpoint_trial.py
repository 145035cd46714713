"""Post a message that means nothing, so that a person sees whether an endpoint works."""

import json
import uuid
from collections.abc import Sequence

from domain.errors import PermanentProviderError, TransientProviderError
from domain.outgoing_webhooks import WebhookCall, WebhookPoster
from domain.time import WallInstant

TYPE = "everstay.test"


async def try_endpoint(
    poster: WebhookPoster, key: str, url: str, secrets: Sequence[str], wall: WallInstant
) -> tuple[bool, str]:
    """Return whether it was taken, and a sentence."""
    body = json.dumps({"type": TYPE, "timestamp": wall.isoformat(), "data": {}}).encode()
    call = WebhookCall(key, url, tuple(secrets), uuid.uuid4().hex, body, wall)
    try:
        await poster.post(call)
    except (TransientProviderError, PermanentProviderError) as error:
        return False, str(error)
    return True, f"{key} took it."
