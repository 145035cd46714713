import re
import runpy
from typing import Any

import pytest

from domain.documents import TEXT_FIELDS
from domain.fields import FIELDS
from domain.playbook import Playbook
from domain.playbook_contacts import Offer, Person, ToPeople
from domain.playbook_steps import STEP_KINDS, Step, Wait
from domain.playbook_triggers import TRIGGERS, Autonomy, Exit, Goal, OnReply, Recalibration, Trigger
from models.plain_yaml import YamlRead
from models.playbooks import read_library
from tests.house.repository import ROOT

GUIDE = (ROOT / "docs" / "writing-playbooks.md").read_text(encoding="utf-8")
EXAMPLES = [YamlRead(text).data for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]
BASE: dict[str, Any] = {
    "key": "an-example", "name": "n", "description": "d", "motion": "retention", "priority": 5,
    "trigger": {"manual": True},
    "steps": [{"id": "first", "notify": {"title": "t", "body": "b"}}],
}  # fmt: skip


def tool() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tools" / "library_docs.py"))


def completed(example: Any) -> dict[str, Any]:
    """Make a whole document of an example: a step, some steps, or parts that stand beside the steps."""
    steps = [example] if isinstance(example, dict) and "id" in example else example
    if isinstance(steps, dict):
        return BASE | steps
    named = [target for step in steps for target in Step.model_validate(step).targets()]
    made = {step["id"] for step in steps}
    waits = [step["wait"]["step"] for step in steps if "step" in step.get("wait", {})]
    call = {"create_task": {"title": "t", "body": "b"}}
    missing = [{"id": name} | call for name in dict.fromkeys([*waits, *named]) if name not in made]
    return BASE | {"steps": [*steps, *missing]}


def test_the_published_library_is_what_the_playbooks_say() -> None:
    printed = tool()["render"]()
    assert (ROOT / "docs" / "library.md").read_text(encoding="utf-8") == printed, (
        "docs/library.md is out of date: run tools/library_docs.py"
    )


def test_each_shipped_playbook_says_why_it_is_there() -> None:
    assert set(tool()["WHY"]) == {each.key for each in read_library(ROOT / "playbooks")}


def test_each_step_of_the_library_and_each_of_its_ways_is_printed() -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    for document in read_library(ROOT / "playbooks"):
        section = page.split(f"\n`{document.key}`. ")[1].split("\n## ")[0]
        for step in document.steps:
            assert f"| `{step.id}` |" in section
            for target in document.successors(step):
                assert re.search(rf"^{step.id} ──.*▶ {target}$", section, re.MULTILINE), (step.id, target)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_each_example_of_the_guide_is_part_of_a_valid_playbook(example: Any) -> None:
    assert Playbook.model_validate(completed(example)).steps


def test_the_guide_builds_a_whole_playbook_of_twelve_steps() -> None:
    whole = [example for example in EXAMPLES if isinstance(example, dict) and "key" in example]
    assert len(Playbook.model_validate(whole[0]).steps) == 12


def test_the_guide_shows_every_kind_of_step_and_of_trigger() -> None:
    steps = [step for example in EXAMPLES for step in completed(example)["steps"]]
    assert {kind for step in steps for kind in step if kind in STEP_KINDS} == set(STEP_KINDS)
    assert {kind for example in EXAMPLES for kind in completed(example)["trigger"]} >= set(TRIGGERS)


@pytest.mark.parametrize(
    "part",
    [
        Playbook, Trigger, Goal, Exit, Recalibration, Autonomy, OnReply, ToPeople, Person, Offer, Wait,
        *(Step.model_fields[kind].annotation.__args__[0] for kind in STEP_KINDS),  # type: ignore[union-attr]  # X | None
    ],
    ids=lambda part: part.__name__,
)  # fmt: skip
def test_the_guide_names_every_field(part: Any) -> None:
    for name, field in part.model_fields.items():
        assert re.search(rf"\b{field.alias or name}\b", GUIDE), f"{part.__name__}.{name}"


def test_the_guide_names_every_value_that_a_text_or_a_condition_may_use() -> None:
    assert [name for name in TEXT_FIELDS if f"${name}" not in GUIDE] == []
    assert FIELDS
