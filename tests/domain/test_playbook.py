"""The playbook document: the shipped library, and what an author is told of a mistake."""

import json
from datetime import date, timedelta
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from domain.documents import END, TEXT_FIELDS
from domain.playbook import Playbook
from domain.playbook_problems import PlaybookDocumentError
from domain.playbook_steps import Step
from domain.vocabulary import HealthComponent, RiskTier, TouchTier
from integrations.jinja_renderer import JinjaMessageRenderer
from models.playbook_yaml import read_document
from models.playbooks import content_hash, read_library

LIBRARY = Path(__file__).resolve().parents[2] / "playbooks"
SHIPPED = read_library(LIBRARY)
TEXTS = dict.fromkeys(TEXT_FIELDS, "Müller & Söhne $5")
RENDERER = JinjaMessageRenderer(LIBRARY / "templates")
SENT: dict[str, Any] = {
    "customer": {"name": "Globex", "plan": "", "segment": "small"},
    "contact": {"first_name": "Anna", "name": "Anna B", "email": "anna@globex.example"},
    "sender": {"name": "Maya", "email": "", "title": ""},
    "product_name": "Northwind",
    "evidence": {},
    "links": dict.fromkeys(
        ("preferences_url", "unsubscribe_url", "booking_url", "accept_url", "propose_url", "decline_url"),
        "https://x.example/y",
    ),
    "meeting": {"title": "t", "day": "Monday", "time": "10:15", "place": "Berlin time", "minutes": 30},
    "business_date": date(2026, 11, 21),
}


def one(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The smallest document around some steps."""
    base = {
        "key": "a-key", "name": "n", "description": "d", "motion": "retention", "priority": 5,
        "trigger": {"tier": "high"}, "steps": list(steps) or [TASK],
    }  # fmt: skip
    return base | more


TASK: dict[str, Any] = {"id": "call", "create_task": {"title": "t", "body": "b"}}
PAUSE: dict[str, Any] = {"id": "pause", "wait": {"duration": "2d"}}


def complaint(document: dict[str, Any]) -> str:
    """Return all errors of a document in one string."""
    with pytest.raises(ValidationError) as caught:
        Playbook.model_validate(document)
    return "; ".join(str(error["msg"]) for error in caught.value.errors())


def names(document: Playbook) -> str:
    return document.key


def test_the_library_holds_the_playbooks_of_the_product() -> None:
    assert [document.key for document in SHIPPED] == [
        "adoption", "champion-left", "contract-stagnation", "escalated-save", "executive-check-in",
        "expansion-blocker", "feature-drop-off", "feature-tour", "low-engagement", "onboarding-stalled",
        "personal-note", "poor-survey", "qbr-missed", "renewal-check-in", "renewal-last-month",
        "renewal-plan", "silent-executive", "stay-in-touch", "support-frustration", "tech-touch-all-clear",
        "tech-touch-check-in", "tech-touch-thanks", "usage-nudge", "value-check-month-3",
        "value-check-month-6", "value-conversation",
    ]  # fmt: skip


@pytest.mark.parametrize("document", SHIPPED, ids=names)
def test_each_file_is_called_as_its_playbook(document: Playbook) -> None:
    assert (LIBRARY / f"{document.key}.yaml").is_file()


@pytest.mark.parametrize("document", SHIPPED, ids=names)
def test_each_message_that_a_shipped_playbook_sends_can_be_rendered(document: Playbook) -> None:
    for step in document.steps:
        order = step.send_email or step.schedule_meeting
        if order is not None:
            assert RENDERER.render(order.template, "en", SENT).subject


@pytest.mark.parametrize("document", SHIPPED, ids=names)
def test_each_text_of_a_shipped_playbook_can_be_filled(document: Playbook) -> None:
    for step in document.steps:
        order = step.create_task or step.notify or step.in_app_prompt or step.offer
        for text in (order.title, order.body) if order else ():
            filled = Template(text).substitute(TEXTS)
            assert "$" not in filled.replace(TEXTS["customer"], "")


@pytest.mark.parametrize("document", SHIPPED, ids=names)
def test_from_every_step_of_a_shipped_playbook_the_end_is_ahead(document: Playbook) -> None:
    for step in document.steps:
        following = {
            name
            for at in (step.id, *document.ahead_of(step.id))
            for name in document.successors(document.step(at))
        }
        assert END in following
        assert step.id not in document.ahead_of(step.id)


@pytest.mark.parametrize("document", SHIPPED, ids=names)
def test_every_step_of_a_shipped_playbook_can_be_reached(document: Playbook) -> None:
    turns = (document.recalibration.step_down, document.recalibration.step_up)
    starts = [document.steps[0].id, *(target for target in turns if target is not None)]
    reached = {*starts, *(name for start in starts for name in document.ahead_of(start))}
    assert reached == {step.id for step in document.steps}


@pytest.mark.parametrize("document", SHIPPED, ids=names)
def test_the_longest_way_through_a_shipped_playbook_fits_its_window(document: Playbook) -> None:
    assert longest(document, document.steps[0].id) <= document.goal.window.total_seconds()


def span_of(document: Playbook, step: Step) -> timedelta:
    """How long a step may hold a run up, where its document says so."""
    span = timedelta()
    if step.wait is not None:
        span = step.wait.duration or step.wait.timeout or timedelta()
    elif step.schedule_meeting is not None:
        span = step.schedule_meeting.timeout
    elif step.offer is not None:
        span = step.offer.decide_in
    asks = step.is_contact and any(document.autonomy.asks(tier) for tier in document.audience)
    return span + (document.autonomy.deadline if asks else timedelta())


def longest(document: Playbook, at: str) -> float:
    """Seconds of waiting on the slowest path from a step."""
    if at == END:
        return 0.0
    step = document.step(at)
    return span_of(document, step).total_seconds() + max(
        longest(document, name) for name in document.successors(step)
    )


@pytest.mark.parametrize("document", SHIPPED, ids=names)
def test_a_document_keeps_its_content_hash_through_json_and_yaml(document: Playbook) -> None:
    stored = document.model_dump(mode="json", by_alias=True)
    for again in (json.loads(json.dumps(stored)), yaml.safe_load(yaml.safe_dump(stored))):
        read = Playbook.model_validate(again)
        assert read == document
        assert content_hash(read) == content_hash(document)


def test_every_other_content_has_another_hash() -> None:
    first = Playbook.model_validate(one())
    hashes = {content_hash(first), content_hash(Playbook.model_validate(one(priority=6)))}
    hashes.add(content_hash(Playbook.model_validate(one(TASK, PAUSE))))
    assert len(hashes) == 3
    assert content_hash(Playbook.model_validate(one(cooldown="30d"))) == content_hash(first), "the default"


@pytest.mark.parametrize("tier", [RiskTier.HIGH, RiskTier.CRITICAL])
@pytest.mark.parametrize("touch", list(TouchTier))
def test_high_and_critical_each_have_a_playbook_in_every_touch_tier(tier: RiskTier, touch: TouchTier) -> None:
    assert [each for each in SHIPPED if each.trigger.tier is tier and touch in each.audience]


def test_no_two_shipped_playbooks_claim_the_same_family() -> None:
    claimed = [family for each in SHIPPED for family in each.trigger.drivers]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) <= set(HealthComponent)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (one(TASK | {"next": "nowhere"}), "step call goes to 'nowhere', which is no step"),
        (
            one({"id": "ab", "branch": {"if": {"field": "replied", "is": True}, "then": "x", "else": END}}),
            "step ab goes to 'x', which is no step",
        ),
        (one(TASK, TASK), "step ids must differ: call"),
        (one(TASK | {"id": "end"}), "no step may be called end"),
        (
            one(TASK | {"wait": {"duration": "1d"}}),
            "step call must have exactly one of send_email, in_app_prompt",
        ),
        (one({"id": "empty"}), "step empty must have exactly one of"),
        (one({"id": "w1", "wait": {"event": "reply"}}), "needs a timeout: nothing waits for ever"),
        (one({"id": "w1", "wait": {}}), "either a duration or an event"),
        (
            one({"id": "w1", "wait": {"event": "reply", "duration": "1d", "timeout": "1d"}}),
            "either a duration or an event",
        ),
        (one({"id": "w1", "wait": {"event": "task_done", "timeout": "1d"}}), "names the step whose task"),
        (
            one(TASK, {"id": "w1", "wait": {"event": "reply", "step": "call", "timeout": "1d"}}),
            "and no other",
        ),
        (
            one({"id": "w1", "wait": {"duration": "1d", "timeout": "1d"}}),
            "a wait for a duration has no timeout",
        ),
        (
            one(PAUSE, {"id": "w1", "wait": {"event": "task_done", "step": "pause", "timeout": "1d"}}),
            "waits for the task of 'pause', which creates none",
        ),
        (
            one({"id": "w1", "wait": {"event": "task_done", "step": "gone", "timeout": "1d"}}),
            "waits for the task of 'gone', which creates none",
        ),
        (one(TASK | {"next": "call"}), "step call comes round to itself without a wait"),
        (one(TASK, {"id": "w1", "wait": {"duration": "0d"}, "next": "call"}), "without a wait"),
        (
            one(TASK, {"id": "w1", "wait": {"event": "reply", "timeout": "1d", "on_event": "call"}}),
            "without a wait",
        ),
        (one(PAUSE | {"wait": {"duration": "2 days"}}), "write a whole number and m, h, d or w"),
        (
            one({"id": "x1", "create_task": {"title": "$custmer", "body": ""}}),
            "unknown $custmer; texts may use $arr",
        ),
        (one({"id": "x1", "notify": {"title": "", "body": "costs $5"}}), "write $$ for the sign itself"),
        (one({"id": "x1", "send_email": {"template": "t", "to": []}}), "at least 1 item"),
        (one({"id": "x1", "send_email": {"template": "t", "to": ["ceo"]}}), "'champion'"),
        (one(trigger={}), "a trigger has one of tier, health, signals"),
        (
            one(trigger={"tier": "high", "signals": ["usage_drop"]}),
            "a trigger has one of tier, health, signals",
        ),
        (one(trigger={"signals": []}), "a trigger has one of tier, health, signals"),
        (one(priority=101), "less than or equal to 100"),
        (one(key="Bad Key"), "should match pattern"),
        (one(stepz=[]), "Extra inputs are not permitted"),
        (one(steps=[]), "at least 1 item"),
        (one(motion="rescue"), "'retention'"),
    ],
)
def test_a_mistake_is_told_in_words_that_name_it(document: dict[str, Any], words: str) -> None:
    assert words in complaint(document)


def test_a_loop_that_takes_time_is_allowed() -> None:
    document = Playbook.model_validate(one(TASK, PAUSE | {"next": "call"}))
    assert document.ahead_of("call") == ("call", "pause")


def test_a_broken_file_is_refused_with_its_name_and_the_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(one(TASK, PAUSE | {"wait": {"duration": "soon"}})), encoding="utf-8")
    with pytest.raises(
        PlaybookDocumentError,
        match=r"mine\.yaml.*line \d+, steps\[1\]\.wait\.duration: 'soon' is no duration",
    ):
        read_document(path)
    path.write_text("key: [unclosed", encoding="utf-8")
    with pytest.raises(PlaybookDocumentError, match=r"mine\.yaml.*cannot be read as YAML"):
        read_document(path)


def test_a_mistake_in_a_condition_names_the_step_and_the_nearest_field(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    branch = {"id": "b1", "branch": {"if": {"field": "healthscore", "at_most": 5}, "then": END, "else": END}}
    path.write_text(yaml.safe_dump(one(TASK, branch)), encoding="utf-8")
    with pytest.raises(PlaybookDocumentError, match=r"steps\[1\]\.branch\.if.*did you mean health_score\?"):
        read_document(path)


@pytest.mark.parametrize("text", ["", "- a list", "just words"])
def test_a_file_that_is_no_document_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlaybookDocumentError, match=r"mine\.yaml"):
        read_document(path)


def test_a_step_goes_to_its_next_or_to_the_following_one_or_ends() -> None:
    document = Playbook.model_validate(one(TASK | {"next": END}, PAUSE, TASK | {"id": "again"}))
    assert [document.after(step) for step in document.steps] == [END, "again", END]
