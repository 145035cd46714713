"""`everstay playbook` against a database: the way of an edit from export to roll back."""

from pathlib import Path

import pytest

from domain.edit_impact import Effect, OnOpen
from domain.errors import InvalidInputError
from domain.playbook_problems import PlaybookDocumentError
from models.database import Database
from tests.support.sample_rows import Sample, fill
from tests.support.web import web_settings
from workers import playbook_command as command

pytestmark = pytest.mark.integration
KEY = "low-engagement"


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session)


async def test_an_exported_document_is_applied_unchanged_then_edited_and_taken_back(
    database_url: str, sample: Sample, tmp_path: Path
) -> None:
    settings, file = web_settings(database_url), tmp_path / "mine.yaml"
    text = str((await command.export_one(settings, KEY, None))["yaml"])
    file.write_text(text, encoding="utf-8")
    assert command.check_files([tmp_path]) == ([f"{file}: {KEY} is valid"], False)
    assert "nothing to do" in command.shown_plans(await command.plan_files(settings, file))
    file.write_text(text.replace("timeout: 5d", "timeout: 4d"), encoding="utf-8")
    plan = command.shown_plans(await command.plan_files(settings, tmp_path))
    assert "version 1 → 2" in plan
    assert "open runs: " in plan
    choices = command.choices_of("migrate", ["stranded=restart"])
    told = await command.apply_files(settings, tmp_path, choices, "sooner")
    assert told["applied"][0]["runs"].keys() == {"migrate"}
    again = await command.apply_files(settings, tmp_path, choices, "sooner")
    assert "nothing done" in command.shown_applied(again)
    file.write_text(str((await command.export_one(settings, KEY, 1))["yaml"]), encoding="utf-8")
    await command.apply_files(settings, file, choices, "back")
    lines = command.shown_versions(await command.list_of_versions(settings, KEY)).splitlines()
    assert [line.split()[-1] for line in lines[:2]] == ["back", "sooner"]
    tried = await command.try_one(settings, KEY, str(sample.customers[0]), {"task_done_after": "1d"})
    assert "Nothing was done." in command.shown_try(tried)
    assert "archived" in (await command.archive_one(settings, KEY, archived=True))["said"]
    assert "released" in (await command.release_one(settings, KEY))["said"]


def test_a_check_names_file_and_line_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("key: a\nkey: b\n", encoding="utf-8")
    lines, has_errors = command.check_files([file])
    assert has_errors
    assert lines[0].startswith(f"{file}:2: error: key: 'key' stands here twice")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(PlaybookDocumentError, match="UTF-8"):
        command.check_files([file])


def test_words_that_are_no_choice_are_refused() -> None:
    assert command.choices_of("pin", ["changed=restart"]).by_effect == {Effect.CHANGED: OnOpen.RESTART}
    for wrong in (("stay", []), ("pin", ["gone=pin"]), ("pin", ["stranded=migrate"])):
        with pytest.raises(InvalidInputError):
            command.choices_of(*wrong)
