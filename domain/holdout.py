"""Who is deliberately left untreated: assignment by customer, sticky and salted."""

import hashlib
import uuid

from domain.vocabulary import TouchTier

_BUCKETS = 1 << 32


def is_in_holdout(customer_id: uuid.UUID, *, salt: str, share: float, tier: TouchTier) -> bool:
    """Tell whether a customer belongs to the holdout of `share` (0 to 1); strategic ones never do.

    The hash is of the customer alone, so the answer stays the same for life whatever else changes.
    """
    if tier is TouchTier.STRATEGIC:
        return False
    digest = hashlib.blake2b(customer_id.bytes, key=salt.encode()[:64], digest_size=4).digest()
    return int.from_bytes(digest, "big") < share * _BUCKETS
