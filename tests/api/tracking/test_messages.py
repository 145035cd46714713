"""What the dialects say, as one kind of message."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.tracking.limits import RateLimit, TooManyMessagesSentError
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from domain.tracked_message import ClientClock, Message
from integrations.tracking.envelopes import POSTHOG, SEGMENT, Reader, open_batch, read_messages

NOW = WallInstant(dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC))
BUSINESS = dt.timedelta(days=400)
HOUR = dt.timedelta(hours=1)
TIMELINE = Timeline(
    (Segment(WallInstant(NOW - 48 * HOUR), BusinessInstant(NOW - 48 * HOUR + BUSINESS), 1.0),)
)


def read(reader: Reader, message: dict[str, Any], kind: str | None = None, **around: Any) -> Message:
    body = json.dumps({"batch": [message], **around}).encode()
    good, bad = read_messages(open_batch(body), reader, TIMELINE, NOW, kind)
    assert bad == []
    return good[0]


def segment(message: dict[str, Any], **around: Any) -> Message:
    return read(SEGMENT, {"type": "track", "event": "Login", "userId": "u1", **message}, **around)


def posthog(event: str, properties: dict[str, Any] | None = None, **fields: Any) -> Message:
    return read(POSTHOG, {"event": event, "distinct_id": "u1", "properties": properties or {}, **fields})


def occurred(message: Message) -> dt.timedelta:
    """How long before receipt, in business time."""
    return BusinessInstant(NOW + BUSINESS) - message.occurred_at


@pytest.mark.parametrize(
    ("told", "around", "ago"),
    [
        ({}, {}, 0 * HOUR),
        ({"timestamp": NOW - HOUR}, {}, HOUR),
        ({"timestamp": NOW + HOUR}, {}, 0 * HOUR),
        ({"timestamp": NOW + 9 * HOUR}, {"sentAt": NOW + 10 * HOUR}, HOUR),
        ({"originalTimestamp": NOW + 9 * HOUR, "sentAt": NOW + 10 * HOUR}, {}, HOUR),
        ({"originalTimestamp": NOW + 9 * HOUR, "timestamp": NOW, "sentAt": NOW + 10 * HOUR}, {}, HOUR),
        ({"timestamp": NOW - 500 * HOUR}, {"sentAt": NOW - 499 * HOUR}, HOUR),
        ({"timestamp": NOW}, {"sentAt": NOW - HOUR}, 0 * HOUR),
        ({"timestamp": NOW - 100 * HOUR}, {"sentAt": NOW}, 100 * HOUR),
    ],
)
def test_a_wrong_clock_moves_nothing(
    told: dict[str, dt.datetime], around: dict[str, dt.datetime], ago: dt.timedelta
) -> None:
    as_text = {name: value.isoformat() for name, value in told.items()}
    assert occurred(segment(as_text, **{name: at.isoformat() for name, at in around.items()})) == ago


@pytest.mark.parametrize(
    "written",
    ["2026-06-15T11:00:00Z", "2026-06-15T13:00:00+02:00", "2026-06-15 11:00:00", 1781521200, 1781521200000],
)
def test_dates_come_in_several_forms(written: object) -> None:
    assert occurred(segment({"timestamp": written})) == HOUR


@given(
    st.datetimes(dt.datetime(2000, 1, 2), dt.datetime(2100, 1, 1)),  # noqa: DTZ001 - made aware below
    st.datetimes(dt.datetime(2000, 1, 2), dt.datetime(2100, 1, 1)) | st.none(),  # noqa: DTZ001 - as above
)
def test_nothing_happens_after_it_was_received(said: dt.datetime, sent: dt.datetime | None) -> None:
    clock = ClientClock(TIMELINE, NOW, None if sent is None else sent.replace(tzinfo=dt.UTC))
    try:
        at = clock.occurred(said.replace(tzinfo=dt.UTC))
    except ValueError:
        return
    assert at <= clock.known_at == BusinessInstant(NOW + BUSINESS)


def test_null_ids_are_no_ids() -> None:
    told = segment({"anonymousId": None, "groupId": None, "userId": 42, "context": None, "properties": None})
    assert told[2:6] == ("Login", "42", None, None)
    assert told.properties is None


def test_the_group_may_stand_in_the_context() -> None:
    assert segment({"context": {"groupId": "acme"}}).group_key == "acme"
    assert segment({"groupId": "own", "context": {"groupId": "acme"}}).group_key == "own"


def test_traits_are_found_where_rudderstack_puts_them() -> None:
    told = segment({"type": "identify", "event": None, "context": {"traits": {"email": "a@x.example"}}})
    assert json.loads(told.properties or "") == {"email": "a@x.example"}
    both = segment({"type": "identify", "traits": {"a": 1}, "context": {"traits": {"b": 2}}})
    assert json.loads(both.properties or "") == {"a": 1}


def test_an_alias_tells_the_new_id_and_the_former_one() -> None:
    told = segment({"type": "alias", "previousId": "visitor"})
    assert (told.user_key, told.anonymous_key) == ("u1", "visitor")


def test_a_message_without_an_id_is_known_again_by_what_it_says() -> None:
    said: dict[str, Any] = {"timestamp": "2026-06-15T11:00:00Z", "properties": {"n": 1}}
    once, again = segment({**said, "sentAt": NOW.isoformat()}), segment(said)
    assert once.message_id == again.message_id != segment({**said, "properties": {"n": 2}}).message_id
    assert segment({}).message_id != segment({}).message_id  # without a time, two are two


def test_posthog_calls_are_what_they_mean() -> None:
    assert posthog("Login")[1:3] == ("track", "Login")
    assert posthog("$pageview", {"title": "Home"})[1:3] == ("page", "Home")
    known = posthog("$identify", {"$anon_distinct_id": "v1", "$set": {"email": "a@x.example"}})
    assert known[1:6] == ("identify", None, "u1", "v1", None)
    assert json.loads(known.properties or "") == {"email": "a@x.example"}
    set_ = posthog("$set", {}, **{"$set": {"name": "Ann"}})
    assert (set_.kind, json.loads(set_.properties or "")) == ("identify", {"name": "Ann"})
    alias = posthog("$create_alias", {"distinct_id": "v1", "alias": "u1"}, distinct_id="v1")
    assert alias[1:6] == ("alias", None, "u1", "v1", None)
    about = {"$group_type": "company", "$group_key": "acme", "$group_set": {"name": "Acme"}}
    group = posthog("$groupidentify", about, distinct_id="$company_acme")
    assert group[1:6] == ("group", None, None, None, "acme")
    assert json.loads(group.properties or "") == {"name": "Acme"}


@pytest.mark.parametrize(
    ("groups", "found"),
    [({"company": "c1", "a": "x"}, "c1"), ({"b": "y", "a": "x"}, "x"), ({}, None), ({"company": 5}, "5")],
)
def test_posthog_groups_name_the_company(groups: dict[str, object], found: str | None) -> None:
    assert posthog("Login", {"$groups": groups}).group_key == found


def test_posthog_visitors_are_not_yet_users() -> None:
    assert posthog("Login", {"$process_person_profile": False})[3:5] == (None, "u1")


def test_the_key_is_not_kept_among_the_properties() -> None:
    assert "secret" not in (posthog("Login", {"token": "secret", "n": 1}).properties or "")


def test_a_bucket_fills_with_time() -> None:
    now = [0.0]
    limit = RateLimit(10, lambda: now[0])
    limit.take("a", 20)
    with pytest.raises(TooManyMessagesSentError) as refused:
        limit.take("a", 1)
    assert refused.value.retry_after == 1
    limit.take("b", 1)
    now[0] += 0.2
    limit.take("a", 50)
    with pytest.raises(TooManyMessagesSentError) as refused:
        limit.take("a", 1)
    assert refused.value.retry_after == 5
