import datetime as dt

import pytest

from domain.time import BusinessInstant, start_of_day
from ml.simulation.habits import LEFT_OPEN, is_working_time, mail_habit, task_habit
from models.work import outcomes_of

MONDAY = start_of_day(dt.date(2026, 9, 7))
CALL = outcomes_of("call")


def test_the_same_task_is_always_finished_the_same_way() -> None:
    assert task_habit(1, "a", MONDAY, CALL) == task_habit(1, "a", MONDAY, CALL)


def test_a_few_tasks_are_left_open() -> None:
    left = [task_habit(1, str(number), MONDAY, CALL).finishes_at is None for number in range(1000)]
    assert abs(sum(left) / 1000 - LEFT_OPEN) < 0.03


def test_who_uses_the_product_more_opens_more_mail() -> None:
    opened = {
        engagement: sum(mail_habit(1, str(n), MONDAY, engagement).opens for n in range(1000))
        for engagement in (0.0, 1.0)
    }
    assert opened[0.0] < opened[1.0]


def test_nobody_clicks_or_answers_what_they_did_not_open() -> None:
    habits = [mail_habit(1, str(number), MONDAY, 0.5) for number in range(300)]
    assert all(habit.opens for habit in habits if habit.clicks or habit.answers)


def test_ours_do_not_work_at_night_or_at_the_weekend() -> None:
    hours = {day: BusinessInstant(MONDAY + dt.timedelta(days=day, hours=10)) for day in range(7)}
    assert [is_working_time(hours[day]) for day in range(7)] == [True] * 5 + [False] * 2
    assert not is_working_time(MONDAY)


@pytest.mark.parametrize("kind", ["call", "email", "approval", "offer", "review"])
def test_every_task_ends_with_what_its_kind_allows(kind: str) -> None:
    found = {task_habit(1, str(number), MONDAY, outcomes_of(kind)).outcome for number in range(300)}
    assert found <= set(outcomes_of(kind))
    assert len(found) > 1
