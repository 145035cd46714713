import datetime as dt
from xml.etree import ElementTree as ET

from api.web.charts import Part, Point, interval, meter, risk_chart, sparkline, stacked_bar

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
