"""Why a payment was refused, in words for people: codes are for programs."""

from collections.abc import Mapping

DECLINES: Mapping[str, str] = {
    "insufficient_funds": "not enough money on the account",
    "do_not_honor": "the bank refused it and says no more",
    "generic_decline": "the bank refused it and says no more",
    "call_issuer": "the customer has to call their bank",
    "try_again_later": "the bank asks to try later",
    "processing_error": "the bank could not process it",
    "issuer_not_available": "the bank did not answer",
    "reenter_transaction": "the bank could not process it",
    "approve_with_id": "the bank wants to be asked again",
    "card_velocity_exceeded": "the card has reached its limit",
    "withdrawal_count_limit_exceeded": "the card has reached its limit",
    "expired_card": "the card has expired",
    "incorrect_number": "the card number is wrong",
    "invalid_number": "the card number is wrong",
    "incorrect_cvc": "the security code is wrong",
    "invalid_cvc": "the security code is wrong",
    "invalid_expiry_month": "the expiry date is wrong",
    "invalid_expiry_year": "the expiry date is wrong",
    "incorrect_zip": "the postcode is wrong",
    "card_not_supported": "the card is not made for such payments",
    "currency_not_supported": "the card does not pay in this currency",
    "transaction_not_allowed": "the bank does not allow such payments",
    "invalid_account": "the account is closed or wrong",
    "new_account_information_available": "the customer has a new card",
    "authentication_required": "the customer has to confirm it",
    "stop_payment_order": "the customer has stopped such payments",
    "revocation_of_authorization": "the customer has taken the permission back",
    "revocation_of_all_authorizations": "the customer has taken the permission back",
    "pickup_card": "the bank has blocked the card",
    "restricted_card": "the bank has blocked the card",
    "lost_card": "the bank has blocked the card",
    "stolen_card": "the bank has blocked the card",
    "fraudulent": "the bank has blocked the card",
    "security_violation": "the bank has blocked the card",
    "merchant_blacklist": "the bank has blocked the card",
}
"""Reasons that must not be told to a customer (lost, stolen, fraud) are one neutral sentence here too."""
ADVICE: Mapping[str, str] = {
    "try_again_later": "a later attempt may succeed",
    "confirm_card_data": "ask for the card's data",
    "do_not_try_again": "this card must not be tried again",
}


def say_decline(code: str | None) -> str:
    """Return why an attempt was refused; a code that nobody has put into words is read out."""
    if not code:
        return "no reason told"
    return DECLINES.get(code, f"refused as “{code.replace('_', ' ')}”")


def say_advice(code: str | None) -> str:
    """Return what the network advises, empty where it advises nothing."""
    return ADVICE.get(code or "", (code or "").replace("_", " "))
