"""Plots of a replay: every value is where it belongs, and what is not known leaves a gap."""

import re
from xml.etree.ElementTree import fromstring

from api.web.backtest_charts import HEIGHT, Series, bars, layers, lines

MONTHS = ["2025-01", "2025-02", "2025-03"]


def test_bars_say_their_counts_and_what_they_stand_for() -> None:
    drawn = bars(["not", "1-14", "15+"], [3, 0, 6], "Leads")
    words = [text for text in fromstring(drawn).itertext() if text.strip()]  # noqa: S314  our own drawing
    assert words == ["Leads", "3", "not", "0", "1-14", "6", "15+"]
    assert bars(["not"], [0], "Nobody") == ""


def test_a_line_breaks_where_nothing_is_known_and_the_axis_holds_the_highest_value() -> None:
    drawn = lines(MONTHS, [Series("left", "risk", [0.04, None, 0.18])], "Left")
    (path,) = re.findall(r'class="line line-risk" d="([^"]+)"', drawn)
    assert path.count("M") == 2
    assert "20%" in drawn
    assert lines(MONTHS[:1], [Series("left", "risk", [0.1])], "Left") == ""


def test_names_of_lines_that_end_alike_do_not_lie_on_each_other() -> None:
    drawn = lines(MONTHS, [Series(name, "risk", [0.1, 0.1, 0.1]) for name in ("one", "two")], "Alike")
    places = [float(y) for y in re.findall(r'y="([0-9.]+)">(?:one|two)<', drawn)]
    assert places[1] - places[0] >= 12


def test_layers_add_up_to_everyone_and_escape_their_words() -> None:
    parts = [Series("high", "high", [0.2, 0.5, 0.1]), Series("low", "low", [0.8, 0.5, 0.9])]
    drawn = layers(MONTHS, parts, "<Tiers>")
    assert "&lt;Tiers&gt;" in drawn
    tops = re.findall(r"M[0-9.]+ ([0-9.]+)L", drawn)
    assert float(tops[-1]) < float(tops[-2]) < HEIGHT
