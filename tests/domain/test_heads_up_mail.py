import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.evidence_words import say_evidence
from domain.heads_up_mail import FRESH, GATHER, MORNING, MailKind, Reader, Untold, morning_of, plan_mails
from domain.notifications import MailChoice, NotificationChoices
from domain.time import BusinessInstant, business
from domain.vocabulary import Severity

ANN = uuid.UUID(int=1)
READER = Reader(ANN)
MONDAY = business(dt.datetime(2026, 11, 16, 9, 0, tzinfo=dt.UTC))


def untold(number: int, severity: Severity, came_at: BusinessInstant, **more: object) -> Untold:
    return Untold(uuid.UUID(int=number), severity, came_at, **more)  # type: ignore[arg-type]  # by name


def ago(**span: float) -> BusinessInstant:
    return BusinessInstant(MONDAY - dt.timedelta(**span))


def test_what_comes_within_minutes_is_one_mail_named_after_the_first() -> None:
    found = [untold(2, Severity.HIGH, ago(minutes=1)), untold(1, Severity.CRITICAL, ago(minutes=4))]
    (mail,) = plan_mails(READER, found, MONDAY)
    assert (mail.kind, mail.key) == (MailKind.HEADS_UP, f"heads-up/{uuid.UUID(int=1)}/{ANN}")
    assert len(mail.heads_up_ids) == len(found)


def test_the_first_waits_a_moment_for_others() -> None:
    assert plan_mails(READER, [untold(1, Severity.HIGH, BusinessInstant(MONDAY - GATHER / 2))], MONDAY) == []


def test_old_urgent_warnings_are_no_news_and_go_into_the_digest() -> None:
    (mail,) = plan_mails(READER, [untold(1, Severity.HIGH, BusinessInstant(MONDAY - FRESH))], MONDAY)
    assert mail.kind is MailKind.DIGEST


def test_what_comes_during_the_day_waits_for_the_next_morning() -> None:
    later = untold(1, Severity.MEDIUM, ago(minutes=10))
    assert plan_mails(READER, [later], MONDAY) == []
    tomorrow = BusinessInstant(MONDAY + dt.timedelta(days=1))
    (mail,) = plan_mails(READER, [later], tomorrow)
    assert mail.key == f"digest/{ANN}/2026-11-17"


def test_nothing_is_told_to_somebody_who_wants_nothing() -> None:
    never = NotificationChoices(*[MailChoice.NEVER] * 4)
    found = [untold(number, severity, ago(hours=30)) for number, severity in enumerate(Severity)]
    assert plan_mails(Reader(ANN, choices=never), found, MONDAY) == []


def test_the_weekend_has_no_digest_but_urgent_mail() -> None:
    saturday = BusinessInstant(MONDAY - dt.timedelta(days=2))
    quiet = untold(1, Severity.MEDIUM, BusinessInstant(saturday - dt.timedelta(hours=12)))
    loud = untold(2, Severity.CRITICAL, BusinessInstant(saturday - dt.timedelta(minutes=5)))
    assert [mail.kind for mail in plan_mails(READER, [quiet, loud], saturday)] == [MailKind.HEADS_UP]


def test_a_mass_alert_is_one_mail_once_it_pauses_and_stragglers_wait_for_the_digest() -> None:
    alert = uuid.UUID(int=77)
    trickle = [
        untold(number, Severity.HIGH, ago(minutes=10 - number / 60), mass_alert_id=alert)
        for number in range(300)
    ]
    (mail,) = plan_mails(READER, trickle, MONDAY)
    assert (mail.key, len(mail.heads_up_ids)) == (f"mass-alert/{alert}/{ANN}", 300)
    going_on = [*trickle, untold(301, Severity.HIGH, ago(seconds=5), mass_alert_id=alert)]
    assert plan_mails(READER, going_on, MONDAY) == []
    straggler = untold(302, Severity.HIGH, ago(hours=2), mass_alert_id=alert, alert_told=True)
    assert [one.kind for one in plan_mails(READER, [straggler], MONDAY)] == [MailKind.DIGEST]


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        ("Europe/Berlin", dt.date(2026, 3, 27), 7),
        ("Europe/Berlin", dt.date(2026, 3, 30), 6),
        ("Europe/Berlin", dt.date(2026, 10, 23), 6),
        ("Europe/Berlin", dt.date(2026, 10, 26), 7),
        ("America/New_York", dt.date(2026, 3, 6), 13),
        ("America/New_York", dt.date(2026, 3, 9), 12),
        ("Nowhere/Land", dt.date(2026, 3, 9), 8),
    ],
)
def test_the_morning_is_eight_on_the_wall_before_and_after_the_clocks_change(
    zone: str, day: dt.date, utc: int
) -> None:
    noon = business(dt.datetime(day.year, day.month, day.day, 14, tzinfo=dt.UTC))
    assert morning_of(noon, zone) == (day, business(dt.datetime.combine(day, dt.time(utc), tzinfo=dt.UTC)))


@given(
    hours=st.floats(0, 2 * 365 * 24),
    zone=st.sampled_from(
        ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
    ),
)
def test_every_weekday_of_every_zone_has_one_morning(hours: float, zone: str) -> None:
    at = MONDAY + dt.timedelta(hours=hours)
    found = morning_of(business(at), zone)
    local = at.astimezone(ZoneInfo(zone))
    assert (found is None) == (local.weekday() >= 5)
    if found is not None:
        assert found[0] == local.date()
        assert found[1].astimezone(ZoneInfo(zone)).time() == MORNING


def test_evidence_is_said_in_words_and_nested_things_are_left_out() -> None:
    evidence = {"baseline": 120.4, "ratio": 0.33, "newest_on": "2026-11-14", "worst": {"x": 1}, "open": True}
    assert say_evidence(evidence, MONDAY.date()) == "baseline 120, ratio 33 %, newest 14 November"
