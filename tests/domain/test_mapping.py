"""Mappings: what is wrong in them is told with its place, and cells are never guessed at."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from domain.facts import SubscriptionFact, UsageFact
from domain.mapping import ColumnSpec, Mapping, known_zone
from domain.mapping_cells import CellError, compile_column
from domain.mapping_check import MappingProblem, check_header, parse_mapping
from domain.mapping_rows import RowConverter, compared_columns
from domain.mapping_values import FieldError


def document(**fact: Any) -> dict[str, Any]:
    """A mapping of one file with one usage fact, changed as told."""
    fields = {
        "key": "id",
        "known_at": {"column": "day", "at": "end_of_day"},
        "customer": "account",
        "feature": "feature",
        "quantity": "count",
        "occurred_at": "day",
    }
    spec = {"type": "usage", "fields": fields} | fact
    columns: dict[str, Any] = {"id": {}, "account": {}, "feature": {}, "note": {"optional": True}}
    columns |= {"day": {"type": "date", "format": ["%d-%m-%Y"]}, "count": {"type": "integer", "at_least": 0}}
    return {
        "source": {"id": "crm", "name": "CRM", "provides": ["usage"], "time_zone": "Europe/Berlin"},
        "files": [{"name": "usage", "match": "usage.csv", "columns": columns, "facts": [spec]}],
    }


def parsed(told: dict[str, Any]) -> Mapping:
    found = parse_mapping(told)
    assert isinstance(found, Mapping), found
    return found


def convert(
    told: dict[str, Any], cells: dict[str, Any], lookups: dict[str, dict[str, str]] | None = None
) -> Any:
    mapping = parsed(told)
    return RowConverter(mapping.files[0], mapping.source, lookups or {}).facts_of(cells)


ROW = {"id": "u1", "account": "a", "feature": "f", "note": "", "day": "31-03-2024", "count": "7"}


def with_field(name: str, value: Any) -> dict[str, Any]:
    told = document()
    told["files"][0]["facts"][0]["fields"][name] = value
    return told


@pytest.mark.parametrize(
    ("told", "path", "reason"),
    [
        (with_field("quantty", "count"), "quantty", "did you mean 'quantity'?"),
        (with_field("quantity", "cuont"), "quantity", "did you mean 'count'?"),
        (with_field("customer", {"column": "account", "lookup": "x"}), "lookup", "there is no lookup 'x'"),
        (with_field("quantity", {"colum": "count"}), "colum", "did you mean 'column'?"),
        (with_field("quantity", {}), "quantity", "exactly one of column, constant, join and now"),
        (document(type="usge"), "type", "usage"),
        (document(fields={"key": "id"}), "fields", "needs the field 'known_at'"),
        (document(when=[{"column": "nothing"}]), "column", "has no column 'nothing'"),
        (document() | {"clock": {"file": "usage", "column": "id"}}, "column", "is no date column"),
        (document() | {"clock": {"file": "usgae", "column": "day"}}, "file", "did you mean 'usage'?"),
        (document() | {"fils": []}, "fils", "did you mean 'files'?"),
        ({"files": []}, "source", "is missing"),
    ],
)
def test_an_error_names_the_path_and_the_nearest_valid_name(
    told: dict[str, Any], path: str, reason: str
) -> None:
    found = parse_mapping(told)
    assert isinstance(found, list)
    assert any(problem.path[-1] == path and reason in problem.reason for problem in found), found


def test_an_unknown_time_zone_is_named() -> None:
    with pytest.raises(ValueError, match="no time zone 'Mars/Base'"):
        known_zone("Mars/Base")
    told = document()
    told["source"]["time_zone"] = "Mars/Base"
    found = parse_mapping(told)
    assert isinstance(found, list)
    assert found == [MappingProblem(("source",), found[0].reason)]


def test_a_row_becomes_a_fact_with_instants_of_the_source_zone() -> None:
    fact = convert(document(), ROW)[0]
    assert isinstance(fact, UsageFact)
    assert (fact.key, fact.quantity) == ("u1", 7.0)
    assert fact.occurred_at == dt.datetime(2024, 3, 30, 23, tzinfo=dt.UTC)
    assert fact.known_at == dt.datetime(2024, 3, 31, 22, tzinfo=dt.UTC), (
        "the day of the clock change has 23 hours"
    )


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"count": "-1"}, "count", "is -1, less than 0"),
        ({"count": "seven"}, "count", "is 'seven', not a whole number"),
        ({"count": "7.0"}, "count", "not a whole number"),
        ({"count": ""}, "count", "is empty"),
        ({"count": " 7"}, "count", "not a whole number"),
        ({"count": "9" * 18}, "count", "more than any number"),
        ({"day": "2024-03-31"}, "day", "not a date of the form %d-%m-%Y"),
        ({"day": "31-02-2024"}, "day", "not a date"),
        ({"day": "31-12-9999"}, "day", "out of all time"),
        ({"id": ""}, "id", "is empty"),
        ({"account": "a\0"}, "account", "zero byte"),
    ],
)
def test_a_cell_that_does_not_fit_is_told_with_column_and_reason(
    cells: dict[str, str], field: str, reason: str
) -> None:
    with pytest.raises(FieldError) as caught:
        convert(document(), ROW | cells)
    assert caught.value.field == field
    assert reason in caught.value.reason


def test_a_row_that_meets_no_condition_is_told_and_not_dropped() -> None:
    told = document(when=[{"column": "feature", "one_of": ["g"]}])
    with pytest.raises(FieldError, match="meets no condition"):
        convert(told, ROW)


def test_values_are_mapped_looked_up_scaled_joined_and_added_to() -> None:
    told = document(properties={"note": "note", "joined": {"join": ["id", "day"]}})
    fields = told["files"][0]["facts"][0]["fields"]
    fields["customer"] = {"column": "account", "lookup": "accounts"}
    fields["feature"] = {"column": "feature", "map": {"f": "search"}}
    fields["quantity"] = {"column": "count", "scale": 0.5}
    fields["occurred_at"] = {"column": "day", "plus": {"column": "count", "unit": "hours"}}
    told["lookups"] = {"accounts": {"match": "x.csv", "key": "k", "value": "v"}}
    fact = convert(told, ROW, {"accounts": {"a": "acme"}})[0]
    assert (fact.customer, fact.feature, fact.quantity) == ("acme", "search", 3.5)
    assert fact.occurred_at == dt.datetime(2024, 3, 31, 6, tzinfo=dt.UTC)
    assert fact.properties == {"note": None, "joined": "u1/2024-03-31"}
    with pytest.raises(FieldError, match="is 'a', which accounts does not know"):
        convert(told, ROW, {"accounts": {}})
    with pytest.raises(FieldError, match="is 'g', not one of f"):
        convert(told, ROW | {"feature": "g"}, {"accounts": {"a": "acme"}})


def test_money_must_come_out_in_whole_minor_units() -> None:
    told = document()
    told["files"][0]["columns"]["count"] = {"type": "decimal"}
    told["files"][0]["facts"][0] = {
        "type": "subscription",
        "fields": {
            "key": "id",
            "known_at": "day",
            "customer": "account",
            "product": "feature",
            "mrr_minor": {"column": "count", "scale": 100},
            "started_at": "day",
            "ended_at": {"column": "day", "null_after": "2024-01-01"},
        },
    }
    fact = convert(told, ROW | {"count": "19.99"})[0]
    assert isinstance(fact, SubscriptionFact)
    assert (fact.mrr_minor, fact.ended_at) == (1999, None)
    with pytest.raises(FieldError, match="no whole number"):
        convert(told, ROW | {"count": "19.999"})
    with pytest.raises(FieldError, match="greater than or equal to 0"):
        convert(told, ROW | {"count": "-1"})


def test_what_no_fact_uses_is_part_of_the_content_unless_it_is_volatile() -> None:
    told = document()
    assert compared_columns(parsed(told).files[0]) == ("note",)
    one, other = convert(told, ROW)[0], convert(told, ROW | {"note": "x"})[0]
    assert one.fingerprint != other.fingerprint
    told["files"][0]["columns"]["note"] = {"optional": True, "volatile": True}
    assert compared_columns(parsed(told).files[0]) == ()


def test_a_header_must_hold_what_is_declared_and_nothing_else() -> None:
    file = parsed(document()).files[0]
    assert check_header(file, file.columns) == []
    problems = check_header(file, ["id", "acount", "feature", "note", "day", "count"])
    assert problems == [
        "the column 'account' is missing; did you mean 'acount'?",
        "the column 'acount' is not declared in the mapping; did you mean 'account'?",
    ]


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "boolean"}, False, False),
        ({"type": "decimal"}, "1100.0", Decimal("1100.0")),
        ({"type": "decimal"}, 0.5, Decimal("0.5")),
        ({"type": "integer"}, 5, 5),
        ({"type": "date"}, dt.datetime(2024, 1, 2), dt.date(2024, 1, 2)),  # noqa: DTZ001  as Parquet has it
        ({"type": "instant"}, "2024-01-02T03:00:00+02:00", dt.datetime(2024, 1, 2, 1, tzinfo=dt.UTC)),
        ({"type": "text", "optional": True, "empty": ["", "None"]}, "None", None),
    ],
)
def test_cells_become_values(column: dict[str, Any], cell: Any, value: Any) -> None:
    assert compile_column(ColumnSpec(**column), known_zone("UTC"))(cell) == value


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("boolean", "MAYBE"),
        ("boolean", ""),
        ("decimal", "NaN"),
        ("decimal", float("inf")),
        ("decimal", "1,5"),
        ("integer", True),
        ("integer", 1.5),
        ("date", dt.datetime(2024, 1, 2, 3)),  # noqa: DTZ001  as Parquet has it
        ("date", 20240102),
        ("instant", "yesterday"),
        ("instant", 7),
    ],
)
def test_cells_that_would_need_guessing_are_refused(kind: str, cell: Any) -> None:
    with pytest.raises(CellError):
        compile_column(ColumnSpec.model_validate({"type": kind}), known_zone("UTC"))(cell)
