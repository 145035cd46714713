import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from settings import Settings, SettingsError
from tests.workers.embedded.support import fresh_settings
from workers.embedded.errors import StackNotRunningError, StackRunningError
from workers.embedded.lock import only_one
from workers.embedded.logs import rotate, tail
from workers.embedded.process import ProcessMark, end_leftovers, grant_search
from workers.embedded.runtime import Part, StackState, locate, read_state, state_path, write_state
from workers.embedded.stack import prepare_home
from workers.embedded.status import as_text, describe

pytestmark = pytest.mark.integration

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def state_of(mark: ProcessMark, settings: Settings) -> StackState:
    found: dict[str, str | int | None] = {
        "database_url": "postgresql+psycopg://everstay:secret@127.0.0.1:5433/everstay",
        "temporal_address": "127.0.0.1:7233",
        "api_port": settings.api_port,
    }
    parts = {"postgres": Part(mark=mark, healthy=True, since=NOW, where="127.0.0.1:5433")}
    return StackState(supervisor=mark, version="0", started=NOW, ready=True, settings=found, parts=parts)


def myself() -> ProcessMark:
    mark = ProcessMark.of(os.getpid())
    assert mark is not None
    return mark


@pytest.fixture
def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], process_group=0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "run").mkdir()
    return fresh_settings(tmp_path)


def test_a_running_stack_is_located(settings: Settings) -> None:
    write_state(settings.home, state_of(myself(), settings))
    located = locate(settings)
    assert located.temporal_address == "127.0.0.1:7233"
    assert located.database_url is not None


def test_settings_with_their_own_services_are_left_alone(settings: Settings) -> None:
    own = settings.model_copy(
        update={"database_url": "postgresql+psycopg://u@h/d", "temporal_address": "h:1"}
    )
    assert locate(own) is own


def test_without_a_running_stack_the_message_says_how_to_start_it(settings: Settings) -> None:
    with pytest.raises(StackNotRunningError, match="start it with make up"):
        locate(settings)


def test_the_last_words_of_a_dead_supervisor_are_not_believed(
    settings: Settings, sleeper: subprocess.Popen[bytes]
) -> None:
    mark = ProcessMark.of(sleeper.pid)
    assert mark is not None
    write_state(settings.home, state_of(mark, settings))
    assert describe(settings).healthy
    sleeper.kill()
    sleeper.wait()
    assert not describe(settings).running
    with pytest.raises(StackNotRunningError):
        locate(settings)


def test_a_pid_that_was_given_away_again_is_another_process(settings: Settings) -> None:
    mark = myself()
    assert mark.is_alive()
    assert not ProcessMark(mark.pid, "an earlier boot 1", mark.command).is_alive()


def test_leftovers_are_ended_and_strangers_are_not(sleeper: subprocess.Popen[bytes]) -> None:
    mark, me = ProcessMark.of(sleeper.pid), myself()
    assert mark is not None
    stranger = ProcessMark(me.pid, "an earlier boot 1", me.command)
    assert end_leftovers([mark, stranger]) == [mark]
    sleeper.wait(10)
    assert not mark.is_alive()


def test_what_a_dead_leader_left_in_its_group_is_found() -> None:
    member = "subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL)"
    code = f"import subprocess; print({member}.pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], process_group=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as leader:
        assert leader.stdout is not None
        left = ProcessMark.of(int(leader.stdout.readline()))
        mark = ProcessMark.of(leader.pid)
        assert mark is not None
        leader.kill()
    assert end_leftovers([mark]) == [left]


def test_a_broken_state_file_is_no_state(settings: Settings) -> None:
    state_path(settings.home).write_text("{")
    assert read_state(settings.home) is None


def test_the_state_is_readable_by_its_owner_only(settings: Settings) -> None:
    write_state(settings.home, state_of(myself(), settings))
    assert stat.S_IMODE(state_path(settings.home).stat().st_mode) == 0o600


def test_the_status_shows_addresses_and_no_password(settings: Settings) -> None:
    write_state(settings.home, state_of(myself(), settings))
    status = describe(settings)
    assert status.postgres == "127.0.0.1:5433"
    assert status.api == f"http://127.0.0.1:{settings.api_port}"
    assert "secret" not in status.model_dump_json() + as_text(status)
    promised = {"healthy", "api", "postgres", "temporal", "temporal_ui", "version", "parts"}
    assert promised <= set(status.model_dump())
    assert {"pid", "healthy", "since"} <= set(status.model_dump()["parts"]["postgres"])


def test_a_home_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(StackRunningError, match=f"pid {os.getpid()}"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


def test_logs_are_set_aside_at_a_start_and_the_oldest_go(tmp_path: Path) -> None:
    for number in range(5):
        rotate(tmp_path, "api").write_text(f"start {number}\n")
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {
        "api.log": "start 4\n",
        "api.log.1": "start 3\n",
        "api.log.2": "start 2\n",
        "api.log.3": "start 1\n",
    }


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("a\nb\nc\n")
    assert tail(tmp_path / "x.log", 2) == "    b\n    c"
    assert tail(tmp_path / "none.log") == "    (no log)"


def test_folders_on_the_way_are_opened_for_passing_through_only(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert closed in grant_search(closed / "data")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o701
    assert grant_search(closed / "data") == []


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"EVERSTAY_HOME: .* cannot be a folder of ours: Not a directory"):
        prepare_home(tmp_path / "file" / "home")
