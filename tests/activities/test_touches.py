"""One activity per touch: it looks, sends and looks again, and a repeated attempt finds what was done."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.contracts import AdvanceInput, SendEmailInput, SendEmailResult
from activities.intervention import InterventionActivities
from activities.letters import Letterhead
from activities.messaging import MessagingActivities
from domain.links import LinkMaker
from domain.playbook import Playbook
from domain.ports import EmailAddress
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, Outcome
from integrations.fake_email import FakeEmailSender
from integrations.invitations import CalendarInvitations
from integrations.jinja_renderer import JinjaMessageRenderer
from models.database import Database
from models.playbooks import PlaybookShelf
from tests.support.portfolio import FixedClock
from tests.support.runs import one_letter, open_run
from tests.support.scenario import Scenario
from workers.library import LIBRARY

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday
NIGHT = BusinessInstant(dt.datetime(2026, 3, 4, 23, tzinfo=dt.UTC))
LETTER: dict[str, Any] = {"send_email": {"template": "stay-in-touch", "to": ["champion"]}}


@dataclass
class Desk:
    """One open run, and the activities that carry it on."""

    scene: Scenario
    run_id: uuid.UUID
    sender: FakeEmailSender
    messaging: MessagingActivities
    runs: InterventionActivities

    async def touch(self, seq: int, step: str = "letter") -> SendEmailResult:
        order = SendEmailInput(self.run_id, step, 0, seq=seq, looks_first=True)
        return await ActivityEnvironment().run(self.messaging.send_email, order)


async def desk(database: Database, now: BusinessInstant, document: Playbook | None = None) -> Desk:
    scene = await Scenario(database, now).begin()
    run_id = await open_run(database, document or one_letter(), scene.customer_id, now)
    clock, sender, shelf = FixedClock(now), FakeEmailSender(), PlaybookShelf()
    links = LinkMaker("https://everstay.example", "a secret of the tests")
    team = EmailAddress("team@everstay.example", "Team")
    letterhead = Letterhead(JinjaMessageRenderer(LIBRARY / "templates"), links, team, CalendarInvitations())
    messaging = MessagingActivities(database, clock, shelf, sender, letterhead)
    return Desk(scene, run_id, sender, messaging, InterventionActivities(database, clock, shelf))


async def test_a_touch_sends_and_says_what_the_run_waits_for_and_a_repeated_attempt_says_the_same(
    database: Database,
) -> None:
    at = await desk(database, NOON)
    first, second = await at.touch(1), await at.touch(1)
    assert first.state == "sent"
    assert first.next is not None
    assert first.next.wake is not None
    assert first.next.wake.due == NOON + dt.timedelta(days=7)
    assert second.next == first.next
    assert len(at.sender.accepted) == 1


async def test_a_touch_that_was_killed_behind_its_message_sends_none_again_and_goes_on(
    database: Database,
) -> None:
    at = await desk(database, NOON)
    ordered = await at.runs.advance(AdvanceInput(at.run_id, 1))
    assert ordered.send is not None
    await at.messaging.send_email(ordered.send)  # here the worker dies: nothing was advanced behind it
    again = await at.touch(1)
    assert again.next is not None
    assert again.next.wake is not None
    assert len(at.sender.accepted) == 1


async def test_a_touch_at_night_sends_nothing_and_names_the_step_to_wake_for(database: Database) -> None:
    at = await desk(database, NIGHT)
    result = await at.touch(1)
    assert result.state == "deferred"
    assert result.next is not None
    assert result.next.wake is not None
    assert result.next.wake.then == "letter"
    assert at.sender.accepted == []


async def test_a_wait_before_a_message_ends_when_doors_are_open(database: Database) -> None:
    steps = [{"id": "pause", "wait": {"duration": "12h"}}, {"id": "letter", **LETTER}]
    at = await desk(database, NOON, one_letter(steps=steps, key="pause-and-write"))
    result = await at.runs.advance(AdvanceInput(at.run_id, 1))
    assert result.wake is not None
    assert result.wake.then == "letter"
    assert dt.time(9) <= result.wake.due.time() < dt.time(12), "midnight is when nobody reads"
    assert result.wake.due.date() == dt.date(2026, 3, 5)


async def test_the_last_touch_ends_the_run(database: Database) -> None:
    goal = {"when": "steps_taken", "outcome": "saved", "window": "30d"}
    document = one_letter(steps=[{"id": "letter", **LETTER}], key="only-a-letter", goal=goal)
    at = await desk(database, NOON, document)
    result = await at.touch(1)
    assert result.next is not None
    assert result.next.outcome is Outcome.SAVED
    (run,) = await at.scene.runs()
    assert run.state is InterventionState.ENDED
    assert (await at.touch(1)).next == result.next


async def test_a_touch_that_is_not_wanted_any_more_only_looks(database: Database) -> None:
    steps = [{"id": "rest", "wait": {"duration": "7d"}}]
    at = await desk(database, NOON, one_letter(steps=steps, key="only-a-rest"))
    result = await at.touch(1, "rest")
    assert (result.state, at.sender.accepted) == ("", [])
    assert result.next is not None
    assert result.next.wake is not None
