"""The clauses of conditions, where they may stand, and in which words they are refused."""

import datetime as dt
from typing import Any

import pytest

from domain.condition_check import CONDITION, check_condition
from domain.condition_needs import Needs, kinds_of, needs_of
from domain.conditions import Condition
from domain.field_shape import Place
from domain.known import Known, NotLoadedError, Point, SeenSignal
from domain.time import BusinessInstant

NOW = BusinessInstant(dt.datetime(2026, 3, 30, 12, tzinfo=dt.UTC))
MOMENT = dt.timedelta(microseconds=1)
AT_RISK_FOR_A_WEEK: dict[str, Any] = {"field": "health_status", "is": "at_risk", "for": "7d"}


def read(document: Any) -> Condition:
    condition = check_condition(document).condition
    assert condition is not None, check_condition(document).problems
    return condition


def ago(days: float, less: dt.timedelta = dt.timedelta()) -> BusinessInstant:
    return BusinessInstant(NOW - dt.timedelta(days=days) + less)


def known(*points: tuple[BusinessInstant, str | None], status: str | None = "at_risk") -> Known:
    history = {"health_status": tuple(Point(*point) for point in points)}
    return Known({"health_status": status}, NOW, history)


def test_a_span_is_full_at_its_very_border() -> None:
    condition = read(AT_RISK_FOR_A_WEEK)
    assert condition.holds(known((ago(7), "at_risk")))
    assert not condition.holds(known((ago(7, MOMENT), "at_risk")))


def test_an_interruption_however_short_restarts_the_count() -> None:
    condition = read(AT_RISK_FOR_A_WEEK)
    before, back = (ago(30), "at_risk"), (ago(5, MOMENT), "at_risk")
    assert not condition.holds(known(before, (ago(5), "neutral"), back))
    assert not condition.holds(known(before, (ago(5), None), back))
    assert condition.holds(known(before, (ago(7, -MOMENT), "neutral"), (ago(7), "at_risk")))


def test_a_change_between_two_fitting_values_is_no_interruption() -> None:
    condition = read({"field": "health_status", "one_of": ["at_risk", "needs_attention"], "for": "7d"})
    assert condition.holds(known((ago(30), "needs_attention"), (ago(1), "at_risk")))


def test_what_has_no_history_yet_has_lasted_for_no_time() -> None:
    assert not read(AT_RISK_FOR_A_WEEK).holds(known())
    assert not read(AT_RISK_FOR_A_WEEK).holds(known((ago(30), "at_risk"), status="neutral"))


@pytest.mark.parametrize(
    ("comparison", "true_for", "false_for"),
    [
        ({"is": 0}, [0], [1]),
        ({"at_least": 3}, [3, 4.5], [2.5]),
        ({"at_most": 3}, [0, 3], [3.5]),
        ({"more_than": 3}, [4], [3]),
        ({"less_than": 3}, [0, 2], [3]),
        ({}, [1], [0]),
    ],
)
def test_performances_are_counted(
    comparison: dict[str, int], true_for: list[float], false_for: list[float]
) -> None:
    condition = read({"performed": "Report Exported", "within": "4w"} | comparison)
    for times, expected in [*((each, True) for each in true_for), *((each, False) for each in false_for)]:
        assert condition.holds(Known({}, NOW, performed={("Report Exported", 28): times})) is expected


def test_a_signal_is_open_or_has_been_for_long_enough() -> None:
    seen = Known({}, NOW, signals=(SeenSignal("usage_drop", ago(3)), SeenSignal("own:quiet", ago(1))))
    assert read({"signal": "usage_drop"}).holds(seen)
    assert read({"signal": "usage_drop", "for": "3d"}).holds(seen)
    assert not read({"signal": "usage_drop", "for": "4d"}).holds(seen)
    assert read({"signal": "own:quiet"}).holds(seen)
    assert not read({"signal": "own:loud"}).holds(seen)


@pytest.mark.parametrize(
    "document",
    [
        AT_RISK_FOR_A_WEEK,
        {"performed": "x", "within": "1d"},
        {"signal": "usage_drop"},
    ],
)
def test_a_clause_is_never_answered_from_facts_that_were_not_loaded(document: dict[str, Any]) -> None:
    with pytest.raises(NotLoadedError):
        read(document).holds({"health_status": "at_risk"})


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ({"all": [{"field": "tier", "is": "low"}, {"field": "helth_score", "at_most": 5}]},
         "all.1.field", "did you mean health_score?"),
        ({"not": {"field": "tier", "is": "hihg"}}, "not.is", "did you mean high?"),
        ({"field": "causes_open", "is": True}, "field", "only a playbook's run knows causes_open"),
        ({"field": "plan", "is": "Scale", "for": "3d"}, "for", "it is for tier, tier_rank, health_status"),
        ({"field": "tier", "is": "low", "for": "0d"}, "for", "leave `for` out"),
        ({"field": "tier", "is": "low", "for": "soon"}, "for", "'soon' is no duration"),
        ({"any": [{"performed": "x", "within": "12h"}]}, "any.0.within", "write whole days, such as 30d"),
        ({"performed": "x"}, "within", "required"),
        ({"performed": "x", "at_least": 1, "is": 2, "within": "1d"}, "", "names exactly one of at_least"),
        ({"performed": "x", "at_least": -1, "within": "1d"}, "times", "greater than or equal to 0"),
        ({"performed": "", "within": "1d"}, "performed", "at least 1 character"),
        ({"performed": "a\x00", "within": "1d"}, "performed", "cannot be stored"),
        ({"signal": "usage_dorp"}, "signal", "did you mean usage_drop?"),
        ({"signal": "own:quite"}, "signal", "did you mean own:quiet?"),
        ({"signal": "quiet"}, "signal", "did you mean own:quiet?"),
        ({"signal": "own"}, "signal", "there is no signal 'own'"),
        ({"field": "plan", "is": "\ud800"}, "is", "plan is a text"),
        ({"field": "arr", "at_least": 10**400}, "at_least", "arr is a number"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_its_path(document: dict[str, Any], path: str, words: str) -> None:
    (problem,) = check_condition(document, own_signals=["quiet"]).problems
    assert problem.path == path
    assert words in problem.reason


def test_a_signal_of_ones_own_compares_what_facts_tell() -> None:
    def said(document: dict[str, Any]) -> str:
        (problem,) = check_condition(document, Place.SIGNAL).problems
        return problem.reason

    assert "played back over the past, where tier is not known" in said({"field": "tier", "is": "low"})
    assert "for lists" in said({"signal": "usage_drop"})
    assert "for lists" in said({"performed": "x", "within": "1d"})
    assert "for lists" in said({"field": "segment", "is": "small", "for": "1d"})
    assert check_condition({"field": "segment", "is": "small"}, Place.SIGNAL).problems == ()


def test_too_large_and_too_deep_documents_are_refused_before_they_are_read() -> None:
    deep: Any = {"field": "tier", "is": "low"}
    for _ in range(5000):
        deep = {"not": deep}
    assert "more than 60 parts" in check_condition(deep).problems[0].reason
    wide = {"all": [{"field": "tier", "is": "low"}] * 60}
    assert "more than 60 parts" in check_condition(wide).problems[0].reason


def test_another_name_is_read_as_the_field() -> None:
    condition = read({"field": "acted_tier", "is": "high"})
    assert condition.holds({"tier": "high"})
    assert CONDITION.dump_python(condition)["field"] == "tier"


@pytest.mark.parametrize(
    "document",
    [
        AT_RISK_FOR_A_WEEK,
        {"performed": "Report Exported", "more_than": 3, "within": "30d"},
        {"all": [{"signal": "usage_drop"}, {"not": {"signal": "own:quiet", "for": "3d"}}]},
    ],
)
def test_clauses_are_stored_and_read_back_the_same(document: dict[str, Any]) -> None:
    condition = read(document)
    stored = CONDITION.dump_python(condition, mode="json", by_alias=True)
    assert read(stored) == condition
    assert read(condition) == condition


def test_a_comparison_is_stored_as_ever() -> None:
    """Stored versions of playbooks are told apart by a hash of this."""
    stored = CONDITION.dump_python(read({"field": "tier", "is": "high"}), mode="json", by_alias=True)
    assert stored == {"field": "tier", "op": "is", "value": "high"}


def test_what_must_be_loaded_is_told_by_the_conditions() -> None:
    conditions = [
        read({"any": [AT_RISK_FOR_A_WEEK, {"field": "nps", "at_most": 6}, {"signal": "usage_drop"}]}),
        read({"not": {"performed": "x", "within": "30d"}}),
    ]
    assert needs_of(*conditions) == Needs(
        fields=frozenset({"health_status", "nps"}),
        history=frozenset({"health_status"}),
        performed=frozenset({("x", 30)}),
        signals=frozenset({"usage_drop"}),
    )
    assert kinds_of(*conditions) == ("survey", "usage")
