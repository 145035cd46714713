import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.time import BusinessInstant
from domain.tracked import (
    IdentityCall,
    company_domain,
    company_name,
    email_of,
    employees_of,
    fold,
    person_name,
    shapes,
    time_zone_of,
)

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["name", "email", "website", "employees", "timezone", "firstName", "x"])


def call(kind: str, minute: int, traits: dict[str, Any] | None = None, **keys: str) -> IdentityCall:
    """One call; keys are user, anonymous and group."""
    at = BusinessInstant(START + dt.timedelta(minutes=minute))
    user, visitor, group = (keys.get(name) for name in ("user", "anonymous", "group"))
    return IdentityCall("app", kind, user, visitor, group, at, traits or {})


def test_the_newest_word_counts_in_whatever_order_calls_come() -> None:
    calls = [
        call("identify", 1, {"name": "Ann", "plan": "free"}, user="u", anonymous="v"),
        call("group", 2, {"name": "Acme"}, user="u", group="g"),
        call("identify", 3, {"name": "Ann Lee"}, user="u"),
        call("alias", 4, user="u", anonymous="old"),
    ]
    told = [{(one.kind, one.key): one for one in fold(random.Random(n).sample(calls, 4))} for n in range(9)]
    assert all(one == told[0] for one in told)
    assert told[0]["user", "u"].traits == {"name": "Ann Lee", "plan": "free"}
    assert told[0]["user", "u"].group_key == "g"
    assert told[0]["group", "g"].traits == {"name": "Acme"}
    assert {key for key, one in told[0].items() if one.stands_for == "u"} == {
        ("anonymous", "v"),
        ("anonymous", "old"),
        ("user", "old"),
    }


@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_any_traits_can_be_read(traits: dict[str, Any]) -> None:
    for read in (email_of, company_domain, employees_of, time_zone_of):
        read(traits)
    assert company_name(traits, "key")
    person_name(traits, "key")
    assert set(shapes([traits])) == set(traits)


@pytest.mark.parametrize(
    ("traits", "domain"),
    [
        ({"domain": "Acme.com"}, "acme.com"),
        ({"website": "https://www.acme.co.uk/start?x"}, "acme.co.uk"),
        ({"url": "http://acme.com:8080"}, "acme.com"),
        ({"email": "info@acme.com"}, "acme.com"),
        ({"email": "acme@gmail.com"}, None),
        ({"website": "none"}, None),
    ],
)
def test_a_groups_domain_is_that_of_its_site_or_mail(traits: dict[str, str], domain: str | None) -> None:
    assert company_domain(traits) == domain


@pytest.mark.parametrize(
    ("traits", "key", "name"),
    [
        ({"firstName": "Ann", "lastName": "Lee"}, "7", "Ann Lee"),
        ({"$email": "ann@acme.com"}, "7", "ann@acme.com"),
        ({}, "ann@acme.com", "ann@acme.com"),
        ({}, "7", None),
    ],
)
def test_a_user_is_called_by_the_best_that_is_known(traits: dict[str, str], key: str, name: str) -> None:
    assert person_name(traits, key) == name


def test_examples_of_properties_never_hold_text() -> None:
    found = shapes([{"email": "ann@acme.com", "rows": 3}, {"rows": None, "ok": True}])
    assert found == {
        "email": {"types": ["string"]},
        "rows": {"types": ["null", "number"], "example": 3},
        "ok": {"types": ["boolean"], "example": True},
    }
