import uuid

import pytest
from litestar.datastructures import MultiDict

from api.web.portfolio import address_of, read_filter
from api.web.query import ListAddress, chosen, key, number, text
from domain.vocabulary import RiskTier

ME = uuid.UUID(int=7)


def test_unknown_words_and_nonsense_numbers_are_left_out() -> None:
    query = MultiDict(
        [("tier", "high"), ("tier", "purple"), ("tier", "high"), ("page", "-3"), ("owner", "x")]
    )
    assert chosen(query, "tier", RiskTier) == (RiskTier.HIGH,)
    assert number(query, "page") is None
    assert key(query, "owner") is None


@pytest.mark.parametrize("value", ["", "0", "٣", "99999999999999", "1e5", "1.5"])
def test_only_plain_numbers_within_bounds_count(value: str) -> None:
    assert number(MultiDict([("page", value)]), "page") is None


def test_texts_lose_control_characters_and_excess() -> None:
    assert text(MultiDict([("q", " ab\x00c" + "d" * 500)]), "q", 6) == "abcd"[:4]


def test_the_address_is_the_state_of_the_list() -> None:
    query = MultiDict(
        [("q", "a & b"), ("tier", "high"), ("tier", "critical"), ("sort", "arr"), ("order", "desc")]
    )
    filter_ = read_filter(query, ME)
    address = address_of(filter_, mine=False).with_()
    assert address == "/?q=a+%26+b&tier=high&tier=critical&sort=arr&order=desc"


def test_a_choice_is_added_once_and_taken_away_again_and_the_page_starts_anew() -> None:
    address = ListAddress("/", {"tier": ["high"], "page": "4"})
    assert address.toggled("tier", "low") == "/?tier=high&tier=low"
    assert address.toggled("tier", "high") == "/"
    assert address.with_(page=2) == "/?tier=high&page=2"


def test_my_customers_stay_mine_for_whoever_opens_the_link() -> None:
    filter_ = read_filter(MultiDict([("owner", "me")]), ME)
    assert filter_.owner == ME
    assert address_of(filter_, mine=True).with_() == "/?owner=me"
