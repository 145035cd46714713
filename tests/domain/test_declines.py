"""What each refusal allows: advice first, then the code, and nothing that a network forbids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing import Decline
from domain.declines import CODES, MASTERCARD_ADVICE, VISA_NEVER, DeclineKind, rule_on

SOFT, ASK, NEVER = DeclineKind.SOFT, DeclineKind.ASK_CUSTOMER, DeclineKind.NEVER


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("insufficient_funds", SOFT), ("processing_error", SOFT), ("issuer_not_available", SOFT),
        ("do_not_honor", SOFT), ("generic_decline", SOFT), ("expired_card", ASK), ("incorrect_cvc", ASK),
        ("authentication_required", ASK), ("transaction_not_allowed", ASK), ("lost_card", NEVER),
        ("stolen_card", NEVER), ("fraudulent", NEVER), ("revocation_of_authorization", NEVER),
    ],
)  # fmt: skip
def test_a_code_says_what_may_be_done(code: str, kind: DeclineKind) -> None:
    assert rule_on(Decline(code)).kind is kind


@pytest.mark.parametrize("code", ["a_code_of_tomorrow", "", "do_not_honor"])
def test_what_nobody_explains_is_tried_few_times_and_slowly(code: str) -> None:
    ruling = rule_on(Decline(code))
    assert ruling.kind is SOFT
    assert ruling.is_slow


def test_advice_goes_before_a_milder_code() -> None:
    assert rule_on(Decline("insufficient_funds", "do_not_try_again")).kind is NEVER
    assert rule_on(Decline("insufficient_funds", "confirm_card_data")).kind is ASK
    assert rule_on(Decline("stolen_card", "try_again_later")).kind is NEVER


@pytest.mark.parametrize("advice", sorted(MASTERCARD_ADVICE))
def test_a_network_s_advice_not_to_try_again_is_final(advice: str) -> None:
    told = Decline("insufficient_funds", network_advice=advice)
    assert rule_on(told, "mastercard").kind is NEVER
    assert rule_on(told, "visa").kind is SOFT, "it is the advice of another network"


@pytest.mark.parametrize("code", sorted(VISA_NEVER))
def test_visa_s_first_category_is_final(code: str) -> None:
    assert rule_on(Decline("do_not_honor", network_code=code), "visa").kind is NEVER


def test_whoever_took_the_permission_back_is_charged_on_no_card() -> None:
    assert rule_on(Decline("stop_payment_order")).is_revoked
    assert rule_on(Decline("do_not_honor", network_advice="21"), "mastercard").is_revoked
    assert not rule_on(Decline("stolen_card")).is_revoked


@given(
    code=st.sampled_from([*CODES, "unknown"]),
    advice=st.sampled_from(["", "try_again_later", "confirm_card_data", "do_not_try_again"]),
    network=st.sampled_from(["", "03", "21", "14", "05"]),
    brand=st.sampled_from(["visa", "mastercard", "amex", ""]),
)
def test_advice_never_makes_a_ruling_milder(code: str, advice: str, network: str, brand: str) -> None:
    order = [SOFT, ASK, NEVER]
    told = rule_on(Decline(code, advice, network, network), brand)
    assert order.index(told.kind) >= order.index(rule_on(Decline(code)).kind)
