from dataclasses import replace

import pytest

from domain.features import CommercialNumbers
from domain.fields import FIELDS
from domain.money import minor_units, say_money, whole_units
from tests.support.features import customer

AMOUNTS = [("USD", 120_000, 1_200), ("JPY", 120_000, 120_000), ("KWD", 120_000, 120), ("RWF", 500, 500)]


@pytest.mark.parametrize(("currency", "minor", "units"), AMOUNTS)
def test_every_amount_is_read_by_the_decimals_of_its_currency(
    currency: str, minor: int, units: float
) -> None:
    assert whole_units(minor, currency) == units
    assert minor_units(units, currency) == minor
    assert f"{units:,}" in say_money(minor, currency)
    paying = CommercialNumbers(mrr_minor=minor, mrr_before_minor=minor, currency=currency)
    read = FIELDS["mrr"].read
    assert read is not None
    assert read(replace(customer(), commercial=paying)) == units
    assert paying.mrr_before == units
