"""Business time survives stops, changes of pace and the calendar's oddities."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.time import BusinessInstant, WallInstant, after, as_utc, business, start_of_day, wall
from domain.timeline import AS_TOLD, FAR, TICK, Segment, Timeline, rescaled, stopped, timeline_of

WALL = wall(datetime(2026, 3, 1, 12, tzinfo=UTC))
BUSINESS = business(datetime(2024, 2, 27, tzinfo=UTC))
FASTEST = 21_600.0  # a day in four seconds

rates = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.01, FASTEST))
paces = st.one_of(st.just(1.0), st.floats(0.01, FASTEST))
spans = st.timedeltas(timedelta(), timedelta(days=20))


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """A timeline as the product makes them: each segment goes on from where business time stands."""
    timeline = Timeline((Segment(WALL, BUSINESS, draw(rates)),))
    at = WALL
    for span, rate in draw(st.lists(st.tuples(spans, rates), max_size=5)):
        at = WallInstant(at + span)
        timeline = Timeline((*timeline.segments, rescaled(timeline, at, rate)))
    return timeline


@given(timelines(), spans, spans)
def test_business_time_never_runs_backwards(timeline: Timeline, first: timedelta, more: timedelta) -> None:
    earlier, later = WallInstant(WALL + first), WallInstant(WALL + first + more)
    assert timeline.business_at(earlier) <= timeline.business_at(later)


@given(timelines(), spans, st.timedeltas(timedelta(), timedelta(days=900)), spans)
def test_a_later_deadline_is_never_expected_earlier(
    timeline: Timeline, passed: timedelta, ahead: timedelta, more: timedelta
) -> None:
    now = WallInstant(WALL + passed)
    due = after(timeline.business_at(now), ahead)
    assert timeline.wall_at(due, now) <= timeline.wall_at(after(due, more), now)


@given(timelines(), spans, st.timedeltas(timedelta(), timedelta(days=900)))
def test_whoever_sleeps_until_the_expected_instant_wakes_when_it_is_due(
    timeline: Timeline, passed: timedelta, ahead: timedelta
) -> None:
    now = max(WallInstant(WALL + passed), timeline.segments[-1].wall_start)
    due = after(timeline.business_at(now), ahead)
    expected = timeline.wall_at(due, now)
    if expected < now + FAR:
        assert timeline.business_at(expected) >= due
        if expected > now:
            assert timeline.business_at(WallInstant(expected - 2 * TICK)) <= due


@given(timelines(), spans, st.timedeltas(timedelta(), timedelta(days=900)))
def test_what_is_due_already_is_expected_now(timeline: Timeline, passed: timedelta, ago: timedelta) -> None:
    now = WallInstant(WALL + passed)
    assert timeline.wall_at(after(timeline.business_at(now), -ago), now) == now


@given(timelines(), spans, spans, paces)
def test_a_stop_and_a_resume_lose_no_business_time(
    timeline: Timeline, ran: timedelta, away: timedelta, rate: float
) -> None:
    seen = max(WallInstant(WALL + ran), timeline.segments[-1].wall_start)
    before = timeline.business_at(seen)
    closed = Timeline((*timeline.segments, stopped(timeline, seen)))
    back = WallInstant(seen + away)
    assert closed.business_at(back) == before
    resumed = Timeline((*closed.segments, rescaled(closed, back, rate)))
    assert resumed.business_at(back) == before
    hour = timedelta(hours=1)
    assert resumed.business_at(WallInstant(back + hour)) == before + hour * rate


@given(timelines(), spans, rates)
def test_another_pace_keeps_business_now_continuous(timeline: Timeline, ran: timedelta, rate: float) -> None:
    now = max(WallInstant(WALL + ran), timeline.segments[-1].wall_start)
    changed = Timeline((*timeline.segments, rescaled(timeline, now, rate)))
    assert changed.business_at(now) == timeline.business_at(now)
    before = WallInstant(now - TICK)
    if before >= timeline.segments[-1].wall_start:
        assert changed.business_at(before) == timeline.business_at(before)


def test_time_that_stands_still_is_waited_for_as_long_as_anybody_lives() -> None:
    timeline = Timeline((Segment(WALL, BUSINESS, 0.0),))
    later = WallInstant(WALL + timedelta(days=3))
    assert timeline.business_at(later) == BUSINESS
    assert timeline.wall_at(after(BUSINESS, TICK), later) == later + FAR
    assert timeline.wall_at(BUSINESS, later) == later


@pytest.mark.parametrize("rate", [1e-6, 0.01, 1.0])
def test_a_deadline_beyond_the_calendar_is_capped_and_never_an_error(rate: float) -> None:
    timeline = Timeline((Segment(WALL, BUSINESS, rate),))
    due = business(datetime(9999, 12, 31, tzinfo=UTC))
    assert timeline.wall_at(due, WALL) == WALL + FAR


def test_a_compressed_leap_day_is_a_day_like_any_other() -> None:
    timeline = Timeline((Segment(WALL, BUSINESS, FASTEST),))
    days = [timeline.business_at(WallInstant(WALL + timedelta(seconds=4 * n))).date() for n in range(4)]
    assert [f"{day:%m-%d}" for day in days] == ["02-27", "02-28", "02-29", "03-01"]


def test_before_the_first_segment_it_is_the_first_business_instant() -> None:
    timeline = Timeline((Segment(WALL, BUSINESS, 5.0),))
    assert timeline.business_at(WallInstant(WALL - timedelta(days=9))) == BUSINESS


def test_a_wall_clock_that_was_set_back_makes_no_timeline_that_nobody_can_read() -> None:
    timeline = Timeline((Segment(WALL, BUSINESS, 60.0),))
    earlier = WallInstant(WALL - timedelta(seconds=2))
    for segment in (rescaled(timeline, earlier, 30.0), stopped(timeline, earlier)):
        changed = Timeline((*timeline.segments, segment))
        assert changed.business_at(WALL) == BUSINESS


@pytest.mark.parametrize(
    "segments",
    [
        (),
        (Segment(WALL, BUSINESS, -1.0),),
        (Segment(WALL, BUSINESS, 1.0), Segment(WallInstant(WALL - TICK), BUSINESS, 1.0)),
    ],
    ids=["empty", "backwards", "unordered"],
)
def test_an_impossible_timeline_is_refused(segments: tuple[Segment, ...]) -> None:
    with pytest.raises(ValueError, match="segment"):
        Timeline(segments)


def test_a_date_without_a_zone_is_refused_and_others_are_brought_to_utc() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        as_utc(datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused
    berlin = datetime.fromisoformat("2026-07-01T10:00:00+02:00")
    assert business(berlin) == wall(berlin) == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert business(berlin).tzinfo is UTC


def test_a_business_day_starts_at_midnight_utc() -> None:
    assert start_of_day(datetime(2028, 2, 29, tzinfo=UTC).date()) == datetime(2028, 2, 29, tzinfo=UTC)
    assert after(BusinessInstant(BUSINESS), timedelta(days=2)).day == 29


@given(timelines(), st.timedeltas(timedelta(), FAR))
def test_a_provider_on_business_time_is_taken_at_its_word_in_both_directions(
    timeline: Timeline, since: timedelta
) -> None:
    assert timeline_of({}, timeline) is timeline_of({"clock": "wall"}, timeline) is timeline
    theirs = timeline_of({"clock": "business"}, timeline)
    began = AS_TOLD.segments[0].wall_start
    assert theirs is AS_TOLD
    assert theirs.happened_at(WallInstant(began + since)) == began + since
    assert theirs.happened_at(WallInstant(began - since)) == began - since
    assert theirs.wall_at(BusinessInstant(began + since), began) == began + since
