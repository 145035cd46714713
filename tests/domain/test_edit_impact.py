"""What an edit means for a run, from where it stands; and how the language is read, said and drawn."""

import uuid
from datetime import timedelta

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.edit_impact import HERD_SPAN, Choices, Effect, OnOpen, RunAt, impact, move
from domain.errors import InvalidInputError
from domain.playbook import Playbook
from domain.playbook_checks import Surroundings, check_playbook
from domain.playbook_diff import differences
from domain.playbook_references import WAYS
from domain.playbook_schema import playbook_schema
from domain.playbook_steps import ANSWERS, Branch, Step
from domain.run_state import Position
from domain.step_graph import lay_out
from domain.time import BusinessInstant
from domain.vocabulary import StepState
from models.playbook_yaml import parse_yaml, read_yaml, write_yaml
from tests.domain.test_playbook import SHIPPED
from tests.support.walks import DAY, START, either, email, pause, recipe, task, until

RUN = uuid.UUID(int=7)
OLD = recipe(
    task(id="call"),
    pause("5d", id="rest"),
    email(id="letter"),
    pause("3d", id="settle"),
    goal={"when": "touchpoint", "outcome": "saved"},
)


def standing(step: str | None, **more: object) -> RunAt:
    visits = {step: 1} if step else {}
    row_state = more.pop("row_state", StepState.WAITING)
    assert row_state is None or isinstance(row_state, StepState)
    return RunAt(
        RUN, Position.model_validate({"step": step, "entered_at": START, "visits": visits, **more}), row_state
    )


CALL, REST, LETTER, SETTLE = OLD.steps


def edited(*steps: Step, **more: object) -> Playbook:
    return OLD.model_copy(update={"steps": steps or OLD.steps, **more})


SOONER = recipe(pause("2d", id="rest")).steps[0]
LATER = recipe(pause("9d", id="settle")).steps[0]
LISTENING = recipe({"id": "rest"} | until("reply")).steps[0]
WRITING = recipe(email(id="rest")).steps[0]
EDITS = [
    (edited(CALL, SOONER, LETTER, SETTLE), "rest", Effect.RETIMED),
    (edited(CALL, REST, LETTER, LATER), "rest", Effect.RETIMED),
    (edited(CALL, SOONER, LETTER, SETTLE), "letter", Effect.UNAFFECTED),
    (edited(CALL, REST, SETTLE), "rest", Effect.CHANGED),
    (edited(CALL, REST, SETTLE), "letter", Effect.STRANDED),
    (edited(CALL, LISTENING, LETTER, SETTLE), "rest", Effect.STRANDED),
    (edited(CALL, WRITING, LETTER, SETTLE), "rest", Effect.STRANDED),
    (edited(priority=3, name="other"), "rest", Effect.UNAFFECTED),
    (edited(goal=OLD.goal.model_copy(update={"window": DAY * 9})), "rest", Effect.RETIMED),
    (edited(goal=OLD.goal.model_copy(update={"when": "renewed"})), "rest", Effect.CHANGED),
    (edited(LETTER, REST), None, Effect.CHANGED),
    (edited(CALL), "end", Effect.UNAFFECTED),
]


@pytest.mark.parametrize(("new", "step", "effect"), EDITS)
def test_an_edit_is_told_by_what_lies_ahead_of_a_run(new: Playbook, step: str | None, effect: Effect) -> None:
    assert impact(OLD, new, standing(step)).effect is effect


def test_a_run_in_the_middle_of_a_step_that_is_gone_stays_whatever_was_chosen() -> None:
    new = recipe(task(id="call"), pause("5d", id="rest"))
    found = impact(OLD, new, standing("letter", row_state=StepState.STARTED))
    assert found.must_stay
    assert Choices(OnOpen.MIGRATE, {Effect.STRANDED: OnOpen.RESTART}).of(found) is OnOpen.PIN


def test_a_stranded_run_cannot_be_sent_on() -> None:
    with pytest.raises(InvalidInputError, match="nowhere to go on"):
        Choices(OnOpen.PIN, {Effect.STRANDED: OnOpen.MIGRATE})


@given(choice=st.sampled_from(list(OnOpen)[1:]), days=st.integers(0, 60), spreads=st.booleans())
def test_a_move_never_takes_a_visit_back(choice: OnOpen, days: int, *, spreads: bool) -> None:
    at = standing("rest", visits={"call": 2, "rest": 4})
    now = BusinessInstant(START + timedelta(days=days))
    moved = move(choice, OLD, at, START, now, spreads=spreads)
    assert moved.visits == at.position.visits
    if spreads and moved.due_at is not None:
        assert now <= moved.due_at < now + HERD_SPAN


def test_a_difference_is_said_in_words() -> None:
    new = recipe(task(id="call"), pause("2d", id="rest"), pause("3d", id="settle"), task(id="review"))
    said = [change.sentence for change in differences(OLD, new)]
    assert said[0] == "Step “letter” is gone: E-mail “hello” to the champion"
    assert "Step “rest”: Wait 5 days → Wait 2 days" in said
    assert any(sentence.startswith("New step “review”: Task for the CSM") for sentence in said)


def test_every_way_of_the_language_is_looked_after() -> None:
    alias = {name: field.alias or name for name, field in Branch.model_fields.items()}
    known = {(kind, alias.get(name, name)) for kind, names in ANSWERS.items() for name in names}
    assert set(WAYS) == {("next",), *known}


@pytest.mark.parametrize("document", SHIPPED, ids=lambda one: one.key)
def test_the_schema_takes_every_form_in_which_a_document_is_written(document: Playbook) -> None:
    schema = playbook_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    check.validate(yaml.safe_load(write_yaml(document)))
    check.validate(document.model_dump(mode="json", by_alias=True, exclude_none=True))
    broken = document.model_dump(mode="json", by_alias=True, exclude_none=True) | {"cooldown": "soon"}
    assert not check.is_valid(broken)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300))
def test_what_is_written_reads_back_as_the_same(said: str) -> None:
    document = recipe(task(id="call")).model_copy(update={"description": said, "name": said[:40]})
    assert parse_yaml(write_yaml(document)) == document


def test_yaml_reads_words_as_they_look() -> None:
    text = write_yaml(recipe(pause("2d"))).replace("duration: 2d", "until_window: {from: 09:00, to: 17:00}")
    playbook, problems, _lines = read_yaml(text)
    assert not problems
    assert playbook is not None
    assert playbook.steps[0].wait is not None
    window = playbook.steps[0].wait.until_window
    assert window is not None
    assert (window.opens, window.closes) == ("09:00", "17:00")


@pytest.mark.parametrize(
    "text", ["", "- a", "a: [", "key: 1\nkey: 2", "a: &x [*x]", "\x00", "[" * 5000, "!!python/x {}"]
)
def test_what_is_no_document_is_a_problem_and_no_crash(text: str) -> None:
    playbook, problems, _lines = read_yaml(text)
    assert playbook is None
    assert problems


def test_a_checker_knows_templates_unreached_steps_and_tasks_without_room() -> None:
    wait = {"event": "task_done", "step": "call", "timeout": "1d"}
    document = recipe(task(id="call", next="wait"), email(id="lost"), {"id": "wait", "wait": wait})
    found = check_playbook(document, Surroundings(templates=frozenset({"hallo"})))
    assert [(one.level, one.where) for one in found] == [
        ("error", "steps[1].send_email.template"),
        ("warning", "steps[1].id"),
        ("warning", "steps[2].wait.timeout"),
    ]
    assert found[0].hint == "did you mean hallo?"


@pytest.mark.parametrize("document", SHIPPED, ids=lambda one: one.key)
def test_a_drawing_has_every_step_below_those_that_lead_to_it(document: Playbook) -> None:
    graph = lay_out(document)
    assert set(graph.layers) == {*(step.id for step in document.steps), "end"}
    assert all(
        graph.layers[line.source] < graph.layers[line.target] for line in graph.lines if not line.is_back
    )
    places = [(graph.layers[name], graph.columns[name]) for name in graph.layers]
    assert len(set(places)) == len(places)


def test_a_drawing_of_a_loop_has_a_way_back() -> None:
    graph = lay_out(recipe(pause(id="rest"), either("tier", "high", "rest", "end")))
    assert [(line.source, line.target) for line in graph.lines if line.is_back] == [("a2", "rest")]
