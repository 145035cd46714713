"""Why a charge was refused, and what that allows: try again, ask the customer, or never again.

The network's and the issuer's advice goes before the code: whoever ignores it pays fees, and loses approvals.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.billing import Decline


class DeclineKind(StrEnum):
    """What a refused charge allows."""

    SOFT = "soft"
    """The same card may work later."""
    ASK_CUSTOMER = "ask_customer"
    """Another card, or an action of the customer; never the same card again by itself."""
    NEVER = "never"
    """Never this card again. What is written stays neutral: the reason is for the customer and their bank."""


@dataclass(frozen=True)
class DeclineRuling:
    """How a decline is handled."""

    kind: DeclineKind
    is_slow: bool = False
    """Nothing speaks for a better answer soon: few attempts, far apart."""
    needs_action: bool = False
    """The customer confirms the payment (strong authentication); the card itself is good."""
    is_revoked: bool = False
    """The customer took the permission back: no card of theirs is charged by itself for this invoice."""


SOFT = DeclineRuling(DeclineKind.SOFT)
SLOW = DeclineRuling(DeclineKind.SOFT, is_slow=True)
ASK = DeclineRuling(DeclineKind.ASK_CUSTOMER)
CONFIRM = DeclineRuling(DeclineKind.ASK_CUSTOMER, needs_action=True)
NEVER = DeclineRuling(DeclineKind.NEVER)
REVOKED = DeclineRuling(DeclineKind.NEVER, is_revoked=True)

ADVICE = {"do_not_try_again": NEVER, "confirm_card_data": ASK}
"""`try_again_later` says only that a later attempt may do better: what the code forbids stays forbidden."""
MASTERCARD_ADVICE = {"03": NEVER, "21": REVOKED}
"""Merchant advice codes: do not try again, and the customer has ended what they had agreed to."""
VISA_NEVER = frozenset({"04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"})
"""Visa's category 1: the issuer will never approve it."""
VISA_REVOKED = frozenset({"R0", "R1", "R3"})

CODES: dict[str, DeclineRuling] = {
    **dict.fromkeys(
        (
            "insufficient_funds",
            "try_again_later",
            "processing_error",
            "issuer_not_available",
            "reenter_transaction",
            "approve_with_id",
            "card_velocity_exceeded",
            "withdrawal_count_limit_exceeded",
        ),
        SOFT,
    ),
    **dict.fromkeys(("do_not_honor", "generic_decline", "call_issuer"), SLOW),
    **dict.fromkeys(
        (
            "expired_card",
            "incorrect_number",
            "invalid_number",
            "incorrect_cvc",
            "invalid_cvc",
            "invalid_expiry_month",
            "invalid_expiry_year",
            "incorrect_zip",
            "card_not_supported",
            "currency_not_supported",
            "invalid_account",
            "new_account_information_available",
            "transaction_not_allowed",
        ),
        ASK,
    ),
    "authentication_required": CONFIRM,
    **dict.fromkeys(
        (
            "lost_card",
            "stolen_card",
            "pickup_card",
            "restricted_card",
            "fraudulent",
            "highest_risk_level",
            "merchant_blacklist",
            "security_violation",
            "do_not_try_again",
        ),
        NEVER,
    ),
    **dict.fromkeys(
        ("stop_payment_order", "revocation_of_authorization", "revocation_of_all_authorizations"), REVOKED
    ),
}
"""Decline codes as the field names them. A code that is not here is soft, but few and slow."""
_STRICTNESS = (DeclineKind.SOFT, DeclineKind.ASK_CUSTOMER, DeclineKind.NEVER)


def rule_on(decline: Decline, brand: str = "") -> DeclineRuling:
    """Return what a decline allows: what network and issuer advise first, then by its code.

    Advice makes a ruling stricter and never milder: a stolen card stays stolen when a network says “later”.
    """
    by_code = CODES.get(decline.code, SLOW)
    advised = [one for one in (_of_network(decline, brand), ADVICE.get(decline.advice)) if one is not None]
    return max((by_code, *advised), key=_strictness)


def _of_network(decline: Decline, brand: str) -> DeclineRuling | None:
    if brand == "mastercard" or (not brand and decline.network_advice):
        return MASTERCARD_ADVICE.get(decline.network_advice)
    if brand == "visa" and decline.network_code in VISA_NEVER:
        return REVOKED if decline.network_code in VISA_REVOKED else NEVER
    return None


def _strictness(ruling: DeclineRuling) -> tuple[int, bool, bool]:
    return _STRICTNESS.index(ruling.kind), ruling.is_revoked, ruling.needs_action
