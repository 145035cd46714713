import datetime as dt
from xml.etree import ElementTree as ET

import pytest

from api.web.charts import Part, Point, interval, meter, risk_chart, sparkline, stacked_bar
from api.web.plots import (
    Column,
    Dot,
    Mark,
    Span,
    calibration,
    chance_history,
    nice_ceiling,
    score_history,
    stacked_columns,
)

DAY = dt.date(2026, 11, 1)
HOSTILE = '<script>alert(1)</script>"'


def days(*values: float) -> list[Point]:
    return [Point(DAY + dt.timedelta(days=place), value) for place, value in enumerate(values)]


def test_every_chart_is_an_image_with_a_title_and_without_style() -> None:
    charts = [
        sparkline([1, 2, 3], "low", "up"),
        stacked_bar([Part("low", 1, "Low: 1"), Part("high", 3, "High: 3")], "mix"),
        meter(40, "good", "40 of 100"),
        risk_chart(days(10, 90), days(80, 20), [(DAY, "Signal")], "trend"),
        interval(0.1, -0.2, 3.0, 0.5, "effect"),
    ]
    for chart in charts:
        image = ET.fromstring(chart)  # noqa: S314  our own drawing
        assert image.get("role") == "img"
        assert image.find("title") is not None
        assert "style=" not in chart
        assert "<script" not in chart


def test_an_interval_takes_its_tone_from_the_side_on_which_it_lies_and_ends_at_the_edge() -> None:
    for ends, tone in (((0.1, 0.3), "good"), ((-0.3, -0.1), "bad"), ((-0.1, 9.0), "open")):
        drawn = ET.fromstring(interval(sum(ends) / 2, *ends, 0.5, "effect"))  # noqa: S314  our own drawing
        assert drawn.get("class") == f"interval interval-{tone}"
    assert "H117.6" in interval(0.0, -0.1, 9.0, 0.5, "effect")


def test_what_charts_say_is_escaped() -> None:
    drawn = sparkline([1, 2], "low", HOSTILE) + risk_chart(days(1, 2), days(1, 2), [(DAY, HOSTILE)], HOSTILE)
    drawn += interval(0, 0, 0, 1, HOSTILE)
    assert "<script" not in drawn


def test_one_point_makes_no_line_and_nothing_makes_no_bar() -> None:
    assert sparkline([5], "low", "x") == ""
    assert risk_chart(days(5), days(5), [], "x") == ""
    assert stacked_bar([Part("low", 0, "none")], "x") == ""


def test_the_parts_of_a_bar_fill_it_in_their_shares() -> None:
    image = ET.fromstring(stacked_bar([Part("low", 1, "a"), Part("high", 3, "b")], "mix"))  # noqa: S314  our own drawing
    starts = [float(shape.attrib["x"]) for shape in image.iter("rect")]
    assert starts == [0.0, 250.0]


def test_a_higher_risk_is_drawn_higher() -> None:
    image = ET.fromstring(risk_chart(days(10, 90), days(50, 50), [], "trend"))  # noqa: S314  our own drawing
    line = next(path for path in image.iter("path") if "line-risk" in path.attrib["class"])
    first, last = (part.split()[1] for part in line.attrib["d"].lstrip("M").split("L"))
    assert float(last) < float(first)


def test_larger_drawings_are_images_with_titles_too_and_escape_what_they_say() -> None:
    columns = [Column(DAY, {"low": 3, "critical": 1}), Column(DAY + dt.timedelta(days=1), {"low": 4})]
    points = [(point.day, point.value) for point in days(10, 90)]
    drawings = [
        stacked_columns(columns, lambda size: f"{size:g}", HOSTILE),
        score_history(points, points, [Mark(DAY, HOSTILE)], [Span(DAY, DAY, HOSTILE)], HOSTILE),
        chance_history([(DAY, 0.1), (DAY + dt.timedelta(days=9), 0.3)], HOSTILE),
        calibration([Dot(0.1, 0.2, 9)], HOSTILE),
    ]
    for drawing in drawings:
        image = ET.fromstring(drawing)  # noqa: S314  our own drawing
        assert image.get("role") == "img"
        assert image.find("title") is not None
        assert "style=" not in drawing
        assert "<script" not in drawing


def test_the_gravest_part_of_a_column_stands_on_the_ground_and_all_share_one_scale() -> None:
    drawn = stacked_columns([Column(DAY, {"low": 3, "critical": 1}), Column(DAY, {"low": 2})], str, "mix")
    shapes = list(ET.fromstring(drawn).iter("rect"))  # noqa: S314  our own drawing
    ends = [float(one.attrib["y"]) + float(one.attrib["height"]) for one in shapes]
    heights = [float(one.attrib["height"]) for one in shapes]
    assert [one.attrib["class"] for one in shapes] == ["bar-critical", "bar-low", "bar-low"]
    assert ends[0] == ends[2] > ends[1]
    assert heights[1] == pytest.approx(3 * heights[0], abs=0.2)
    assert heights[2] == pytest.approx(2 * heights[0], abs=0.2)


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    assert stacked_columns([Column(DAY, {})], str, "x") == ""
    assert score_history([(DAY, 5)], [], [], [], "x") == ""
    assert chance_history([], "x") == ""
    assert calibration([], "x") == ""


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.07, 0.1), (0.2, 0.2), (3, 4), (21, 25), (99, 100), (317, 400)]
)
def test_a_scale_ends_at_a_round_number(value: float, top: float) -> None:
    assert nice_ceiling(value) == pytest.approx(top)
