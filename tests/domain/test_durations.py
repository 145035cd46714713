"""Spans as people write them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.durations import Duration, parse_duration, write_duration

SPAN: TypeAdapter[timedelta] = TypeAdapter(Duration)


@given(st.integers(0, 5_000_000))
def test_a_span_of_whole_minutes_is_read_as_it_was_written(minutes: int) -> None:
    span = timedelta(minutes=minutes)
    assert parse_duration(write_duration(span)) == span
    assert SPAN.validate_python(SPAN.dump_python(span)) == span
    assert SPAN.validate_json(SPAN.dump_json(span)) == span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("5d", timedelta(days=5)),
        (" 2 w ", timedelta(weeks=2)),
        ("0m", timedelta()),
    ],
)
def test_people_write_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(days=7), "1w"),
        (timedelta(days=8), "8d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(), "0m"),
    ],
)
def test_a_span_is_written_in_its_largest_whole_unit(span: timedelta, text: str) -> None:
    assert write_duration(span) == text


@pytest.mark.parametrize("text", ["", "5", "d", "-1d", "1.5d", "5 days", "5D", "1d12h", 5, None, "٣d"])
def test_anything_else_is_refused_with_an_example(text: Any) -> None:
    with pytest.raises(ValidationError, match="is no duration: write a whole number and m, h, d or w"):
        SPAN.validate_python(text)


@pytest.mark.parametrize("text", ["99999999w", "3651d"])
def test_a_span_that_no_calendar_can_hold_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="longer than ten years"):
        SPAN.validate_python(text)
