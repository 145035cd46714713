"""Conditions: what holds, what is refused, and in which words."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.condition_words import ORDERED
from domain.conditions import Condition, Value
from domain.fields import FIELDS
from domain.vocabulary import RiskTier

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
TECH: dict[str, Any] = {"field": "touch_tier", "is": "tech_touch"}
OWNED: dict[str, Any] = {"field": "has_owner", "is": True}


def read(document: Any) -> Condition:
    """Read a condition as it stands in a document."""
    return CONDITION.validate_python(document)


def complaint(document: Any) -> str:
    """Return the first error that an author sees."""
    with pytest.raises(ValidationError) as caught:
        read(document)
    errors = caught.value.errors()
    assert len(errors) == 1, "one mistake is told once"
    return str(errors[0]["msg"])


@pytest.mark.parametrize(
    ("op", "value", "true_for", "false_for"),
    [
        ("is", 50, [50, 50.0], [49, None]),
        ("is", None, [None], [0]),
        ("is_not", 50, [49, None], [50]),
        ("at_least", 50, [50, 51.5], [49.9, None]),
        ("at_most", 50, [50, -1], [50.1, None]),
        ("more_than", 50, [50.1], [50, None]),
        ("less_than", 50, [49.9], [50, None]),
        ("one_of", [1, 2], [1, 2], [3, None]),
        ("one_of", [1, None], [1, None], [3]),
    ],
)
def test_a_comparison_holds_for_what_it_names(
    op: str, value: Any, true_for: list[Value], false_for: list[Value]
) -> None:
    condition = read({"field": "health_score", op: value})
    assert [condition.holds({"health_score": found}) for found in true_for] == [True] * len(true_for)
    assert [condition.holds({"health_score": found}) for found in false_for] == [False] * len(false_for)


@pytest.mark.parametrize("op", sorted(ORDERED))
def test_an_unknown_value_is_neither_more_nor_less(op: str) -> None:
    assert not read({"field": "days_to_renewal", op: 30}).holds({})
    assert not read({"field": "days_to_renewal", op: 30}).holds({"days_to_renewal": None})


@pytest.mark.parametrize(("tech", "owned"), list(product([True, False], repeat=2)))
def test_all_any_and_not_follow_their_truth_tables(tech: bool, owned: bool) -> None:  # noqa: FBT001 - a column of the table
    facts: dict[str, Value] = {"touch_tier": "tech_touch" if tech else "managed", "has_owner": owned}
    assert read({"all": [TECH, OWNED]}).holds(facts) is (tech and owned)
    assert read({"any": [TECH, OWNED]}).holds(facts) is (tech or owned)
    assert read({"not": TECH}).holds(facts) is not tech
    assert read({"not": {"any": [TECH, OWNED]}}).holds(facts) is read(
        {"all": [{"not": TECH}, {"not": OWNED}]}
    ).holds(facts)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"field": "tierr", "is": "high"}, "there is no field 'tierr'; did you mean tier?"),
        ({"field": "shoe_size", "is": 1}, "fields are tier, tier_rank"),
        ({"field": "tier"}, "names exactly one of is, is_not, at_least"),
        ({"field": "arr", "at_least": 1, "at_most": 2}, "names exactly one of"),
        ({"field": "tier", "at_least": 3}, "at_least compares numbers, and tier is none"),
        ({"field": "arr", "at_least": "much"}, "arr is a number, not 'much'"),
        ({"field": "arr", "at_least": True}, "arr is a number, not True"),
        ({"field": "arr", "at_least": None}, "arr is a number, not None"),
        ({"field": "arr", "at_least": float("nan")}, "arr is a number, not nan"),
        ({"field": "has_owner", "is": "yes"}, "has_owner is true or false, not 'yes'"),
        ({"field": "plan", "is": 3}, "plan is a text, not 3"),
        ({"field": "tier", "is": "hihg"}, "tier is never 'hihg'; did you mean high?"),
        ({"field": "segment", "one_of": ["small", "XXL"]}, "segment is never 'XXL'"),
        ({"field": "tier", "one_of": "high"}, "one_of takes a list"),
        ({"field": "tier", "is": ["high", "critical"]}, "one_of takes a list"),
        ({"all": []}, "at least 1 item"),
        ({"all": [TECH], "any": [OWNED]}, "Extra inputs are not permitted"),
        ("tier", "valid dictionary"),
        (None, "valid dictionary"),
    ],
)
def test_a_mistake_is_told_once_and_by_name(document: Any, words: str) -> None:
    assert words in complaint(document)


def test_a_mistake_deep_inside_is_told_with_the_way_to_it() -> None:
    with pytest.raises(ValidationError) as caught:
        read({"all": [TECH, {"not": {"field": "helth_score", "at_most": 5}}]})
    (error,) = caught.value.errors()
    assert [part for part in error["loc"] if isinstance(part, int)] == [1]
    assert "did you mean health_score?" in error["msg"]


def values_of(name: str) -> st.SearchStrategy[Value]:
    """Values that a field may be compared with."""
    if FIELDS[name].words:
        return st.sampled_from(FIELDS[name].words)
    kinds: dict[type, st.SearchStrategy[Value]] = {
        str: st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
        int: st.integers(-1000, 1000),
        float: st.floats(-1e9, 1e9),
        bool: st.booleans(),
    }
    return kinds[FIELDS[name].type]


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(FIELDS)))
    ordered = sorted(ORDERED) if FIELDS[name].type in {int, float} else []
    op = draw(st.sampled_from(["is", "is_not", "one_of", *ordered]))
    value = values_of(name)
    return {"field": name, op: draw(st.lists(value, min_size=1, max_size=3) if op == "one_of" else value)}


documents = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)
facts_of_customers = st.fixed_dictionaries(
    {}, optional={name: st.one_of(st.none(), values_of(name)) for name in sorted(FIELDS)}
)


@given(documents, facts_of_customers)
def test_what_is_stored_is_read_back_the_same(document: dict[str, Any], facts: dict[str, Value]) -> None:
    condition = read(document)
    stored = CONDITION.dump_python(condition, mode="json", by_alias=True)
    again = read(stored)
    assert again == condition
    assert CONDITION.dump_python(again, mode="json", by_alias=True) == stored
    assert CONDITION.validate_json(CONDITION.dump_json(condition, by_alias=True)) == condition
    assert read(condition) == condition
    assert again.holds(facts) is condition.holds(facts)


@given(documents, facts_of_customers)
def test_whatever_is_accepted_can_be_evaluated_on_any_customer(
    document: dict[str, Any], facts: dict[str, Value]
) -> None:
    condition = read(document)
    assert condition.holds(facts) in {True, False}
    assert read({"not": document}).holds(facts) is not condition.holds(facts)


def test_the_words_of_the_vocabulary_are_known() -> None:
    for tier in RiskTier:
        assert read({"field": "tier", "is": tier.value}).holds({"tier": tier.value})
