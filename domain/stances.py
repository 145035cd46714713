"""What people and models expect of a customer, in words."""

from enum import StrEnum


class Stance(StrEnum):
    """Which way a view of a customer leans; none where it says neither."""

    STAYING = "staying"
    LEAVING = "leaving"
    NONE = "none"


class Forecast(StrEnum):
    """What a CSM expects of a customer, in their own judgement."""

    WILL_RENEW = "will_renew"
    AT_RISK = "at_risk"
    WILL_LEAVE = "will_leave"


class OverrideEnd(StrEnum):
    """How a person's own verdict on health came to its end."""

    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
