"""Test cards: what an issuer says, charge by charge."""

from typing import Any

from integrations.simulators.stripe.store import Row, StripeStore

OK, PENDING, CONFIRM = "ok", "pending", "authentication_required"
CARDS = "_cards"
LAST_FOUR = {"visa": "4242", "mastercard": "4444", "amex": "8431"}
_TRY_AGAIN, _CONFIRM_DATA, _STOP = "try_again_later", "confirm_card_data", "do_not_try_again"
DECLINES: dict[str, tuple[str, str]] = {
    "insufficient_funds": ("51", _TRY_AGAIN),
    "generic_decline": ("01", _TRY_AGAIN),
    "do_not_honor": ("05", _TRY_AGAIN),
    "try_again_later": ("19", _TRY_AGAIN),
    "issuer_not_available": ("91", _TRY_AGAIN),
    "processing_error": ("96", _TRY_AGAIN),
    "card_velocity_exceeded": ("65", _TRY_AGAIN),
    "withdrawal_count_limit_exceeded": ("61", _TRY_AGAIN),
    "expired_card": ("54", _CONFIRM_DATA),
    "incorrect_number": ("14", _CONFIRM_DATA),
    "incorrect_cvc": ("N7", _CONFIRM_DATA),
    CONFIRM: ("1A", _CONFIRM_DATA),
    "invalid_account": ("46", _STOP),
    "lost_card": ("41", _STOP),
    "stolen_card": ("43", _STOP),
    "pickup_card": ("04", _STOP),
    "fraudulent": ("59", _STOP),
    "transaction_not_allowed": ("57", _STOP),
    "revocation_of_authorization": ("R1", _STOP),
}
"""The network's code and the advice that usually come with a decline code."""
OWN_CODES = {"expired_card", "incorrect_number", "incorrect_cvc", "processing_error", CONFIRM}
"""Declines that are their own error code; the others are `card_declined`."""
TOKENS: dict[str, tuple[str, str]] = {
    "pm_card_visa": ("visa", OK),
    "pm_card_mastercard": ("mastercard", OK),
    "pm_card_amex": ("amex", OK),
    "pm_card_chargeCustomerFail": ("visa", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("visa", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("visa", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("visa", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("visa", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": ("visa", "expired_card"),
    "pm_card_chargeDeclinedProcessingError": ("visa", "processing_error"),
    "pm_card_authenticationRequired": ("visa", CONFIRM),
    "pm_card_pendingDebit": ("visa", PENDING),
}
MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    CONFIRM: "This transaction requires authentication.",
}


def decline(result: str | Row) -> Row | None:
    """Return what the issuer says; None where it pays. An object names a decline code and what is unusual."""
    given: Row = {"decline_code": result} if isinstance(result, str) else result
    code = str(given["decline_code"])
    if code in {OK, PENDING}:
        return None
    network, advice = DECLINES.get(code, ("05", ""))
    usual = {"advice_code": advice or None, "network_decline_code": network, "network_advice_code": None}
    error_code = code if code in OWN_CODES else "card_declined"
    message = MESSAGES.get(code, "Your card was declined.")
    return {"code": error_code, "message": message, **usual, **given}


class Issuers:
    """Every card that was entered, by fingerprint, with the results that it still has to give."""

    def __init__(self, store: StripeStore) -> None:
        self._store = store

    def script(self, fingerprint: str, results: list[Any]) -> None:
        """Let the next charges of a card come to these results; the last one stays."""
        self._store.put(CARDS, {"id": fingerprint, "results": results or [OK], "used": 0})

    def next_of(self, fingerprint: str) -> str | Row:
        """Return the result of the next charge."""
        card = self._card(fingerprint)
        result: str | Row = card["results"][min(card["used"], len(card["results"]) - 1)]
        return result

    def ask(self, fingerprint: str) -> str | Row:
        """Return the result of the next charge, and use it up."""
        card, result = self._card(fingerprint), self.next_of(fingerprint)
        self._store.put(CARDS, {**card, "used": card["used"] + 1})
        return result

    def _card(self, fingerprint: str) -> Row:
        return self._store.of(CARDS).get(fingerprint) or {"id": fingerprint, "results": [OK], "used": 0}
