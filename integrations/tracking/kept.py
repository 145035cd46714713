"""Messages that waited in quarantine, read again in the dialect that they came in."""

from collections.abc import Mapping
from typing import Any

from domain.tracked_message import ClientClock, Message
from integrations.tracking.posthog import looks_like_posthog, posthog_message
from integrations.tracking.reading import as_raw
from integrations.tracking.segment import segment_message


class KeptMessages:
    """Implements the port MessageReader."""

    def read_message(self, raw: Mapping[str, Any], clock: ClientClock) -> Message:
        """Read one message; raises MessageError."""
        read = posthog_message if looks_like_posthog(dict(raw)) else segment_message
        return read(as_raw(dict(raw)), clock, None)
