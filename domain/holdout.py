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
    return place_of(customer_id, salt=salt) < share


def place_of(customer_id: uuid.UUID, *, salt: str, name: str = "") -> float:
    """Return the customer's place (0 to 1, 1 left out) in the draw of this name: the same for life.

    Draws of different names are independent of each other, so that the holdout of one playbook says nothing
    about that of another. A share that grows takes customers in and lets nobody out.
    """
    thrown = customer_id.bytes + name.encode()
    digest = hashlib.blake2b(thrown, key=salt.encode()[:64], digest_size=4).digest()
    return int.from_bytes(digest, "big") / _BUCKETS
