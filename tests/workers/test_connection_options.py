import pytest

from domain.errors import InvalidInputError
from workers.connection_options import options_in


def test_who_retries_and_whose_clock_it_is_are_declared() -> None:
    told = options_in("stripe", ["retries=everstay", "clock=business"])
    assert told == {"retries": "everstay", "clock": "business"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("retries", "'retries' is not name=value"),
        ("retry=everstay", "'retry' is no option of stripe; there are retries, clock"),
        ("retries=both", "--option retries: 'both' is none of everstay, provider"),
        ("clock=moon", "--option clock: 'moon' is none of wall, business"),
    ],
)
def test_an_option_that_stripe_does_not_have_is_refused_with_those_that_it_has(text: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        options_in("stripe", [text])


def test_other_providers_options_are_lists_minutes_or_words() -> None:
    told = options_in(
        "zendesk", ["targets=urgent:60:1440", "customer_stages=customer,evangelist", "any=word"]
    )
    assert told == {
        "targets": {"urgent": [60, 1440]},
        "customer_stages": ["customer", "evangelist"],
        "any": "word",
    }
