"""Which opens and clicks are a program's."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery_events import DeliveryEventKind
from domain.machine_reactions import Reaction, by_programs, is_scanner, reached
from domain.time import BusinessInstant, business
from domain.vocabulary import TouchpointState

NOON = business(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))
IDS = itertools.count()


def happened(kind: str, seconds: float, url: str = "", *, is_machine: bool = False) -> Reaction:
    at = BusinessInstant(NOON + dt.timedelta(seconds=seconds))
    return Reaction(f"e{next(IDS)}", DeliveryEventKind(kind), at, url, is_machine)


def test_a_person_takes_their_time() -> None:
    told = [happened("delivered", 0), happened("opened", 90), happened("clicked", 120, "a")]
    assert by_programs(told) == frozenset()
    assert reached(told, frozenset()) is TouchpointState.CLICKED


def test_what_comes_within_seconds_of_the_delivery_is_a_program() -> None:
    told = [happened("clicked", 4, "a"), happened("delivered", 0), happened("opened", 3)]
    programs = by_programs(told)
    assert programs == {told[0].event_id, told[2].event_id}
    assert reached(told, programs) is None


def test_many_links_at_once_are_a_program_however_late() -> None:
    burst = [happened("clicked", 3600 + place, url) for place, url in enumerate("abc")]
    person = happened("clicked", 9000, "a")
    programs = by_programs([happened("delivered", 0), *burst, person])
    assert programs == {each.event_id for each in burst}
    assert reached([*burst, person], programs) is TouchpointState.CLICKED


def test_one_link_again_and_again_is_a_person_who_is_impatient() -> None:
    assert by_programs([happened("clicked", 100 + place, "a") for place in range(5)]) == frozenset()


def test_where_time_is_compressed_seconds_mean_nothing() -> None:
    told = [happened("delivered", 0), happened("clicked", 0, "a"), happened("opened", 1, is_machine=True)]
    assert by_programs(told, knows_time=False) == {told[2].event_id}


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari", False),
        ("Mozilla/5.0 (simulated mail client)", False),
        ("", False),
        ("Mozilla/5.0 (compatible; BarracudaCentral)", True),
        ("python-requests/2.31", True),
        ("Mozilla/5.0 HeadlessChrome/120", True),
    ],
)
def test_scanners_are_known_by_their_names(agent: str, *, expected: bool) -> None:
    assert is_scanner(agent) is expected


@given(st.permutations([("delivered", 0), ("opened", 2), ("clicked", 3), ("clicked", 300), ("opened", 200)]))
def test_the_judgement_is_the_same_in_any_order(told: list[tuple[str, int]]) -> None:
    reactions = [happened(kind, at, "a") for kind, at in told]
    programs = by_programs(reactions)
    assert sorted(each.at for each in reactions if each.event_id in programs) == [
        BusinessInstant(NOON + dt.timedelta(seconds=each)) for each in (2, 3)
    ]
    assert reached(reactions, programs) is TouchpointState.CLICKED
