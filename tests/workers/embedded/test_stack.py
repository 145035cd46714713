import os
import signal
import socket
from collections.abc import Callable, Iterator

import pytest

from models import server
from tests.support.homes import temporary_home
from tests.workers.embedded.support import DEADLINE, RunningServices, fresh_settings, wait_until
from workers.embedded import postgres
from workers.embedded.connection import connect_temporal
from workers.embedded.process import ProcessMark
from workers.embedded.runtime import locate
from workers.embedded.status import describe

pytestmark = pytest.mark.e2e

Start = Callable[[], RunningServices]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the services on one home, as often as asked."""
    with temporary_home() as home:
        settings, started = fresh_settings(home), []

        def begin() -> RunningServices:
            started.append(RunningServices(settings))
            return started[-1]

        yield begin
        for running in started:
            running.end()


async def remember(running: RunningServices, word: str) -> None:
    """Leave something in Postgres and in Temporal."""
    located = locate(running.settings)
    assert located.database_url is not None
    await server.ensure_database(located.database_url, word)
    client = await connect_temporal(located)
    await client.start_workflow("NobodyRunsThis", id=word, task_queue="nobody")


async def remembers(running: RunningServices, word: str) -> bool:
    located = locate(running.settings)
    client = await connect_temporal(located)
    kept = await client.get_workflow_handle(word).describe()
    there = await server.answers(postgres.url(located.home, located.postgres_port, word))
    return there and kept.status is not None and kept.status.name == "RUNNING"


def gone(family: list[ProcessMark]) -> bool:
    return not any(mark.is_alive() for mark in family)


async def test_a_started_stack_is_healthy_and_can_be_found(start: Start) -> None:
    running = start()
    running.healthy()
    found = describe(running.settings)
    assert found.healthy
    assert set(found.parts) == {"postgres", "temporal"}
    assert found.postgres == f"127.0.0.1:{running.settings.postgres_port}"
    assert found.temporal_ui == f"http://127.0.0.1:{running.settings.temporal_ui_port}"
    await remember(running, "found")
    assert await remembers(running, "found")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_in_time_and_leaves_no_process(
    start: Start, number: signal.Signals
) -> None:
    running = start()
    running.healthy()
    family = running.family()
    running.process.send_signal(number)
    assert running.process.wait(10) == 0
    assert gone(family)
    assert "Everstay has stopped." in running.output()
    assert not (postgres.data_folder(running.settings.home) / "postmaster.pid").exists()


def test_a_second_copy_on_the_same_home_is_refused_and_told_who_runs(start: Start) -> None:
    first = start()
    first.healthy()
    second = start()
    assert second.process.wait(DEADLINE) == 1
    message = second.output()
    assert f"(pid {first.process.pid})" in message
    assert "everstay down" in message
    assert describe(first.settings).healthy


@pytest.mark.parametrize("name", ["temporal", "postgres"])
def test_a_killed_child_is_started_again_and_counted(start: Start, name: str) -> None:
    running = start()
    before = running.healthy().parts[name].mark
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: running.state().parts[name].restarts >= 1, "the restart is counted")
    wait_until(lambda: running.state().is_healthy(), "it is healthy again")
    part = describe(running.settings).parts[name]
    assert part.pid != before.pid
    running.process.terminate()
    assert f"{name} died (killed by SIGKILL); restart in 0.5 s" in running.output()


async def test_after_the_supervisor_is_killed_nothing_of_it_lives_and_a_new_start_goes_on(
    start: Start,
) -> None:
    first = start()
    first.healthy()
    await remember(first, "kept")
    family = first.family()
    first.process.kill()
    wait_until(lambda: gone(family), "the children died with their parent", 10)
    second = start()
    second.healthy()
    assert await remembers(second, "kept")


async def test_after_every_process_is_killed_at_once_a_new_start_goes_on(start: Start) -> None:
    first = start()
    first.healthy()
    await remember(first, "kept")
    for mark in [*first.family(), ProcessMark.of(first.process.pid)]:
        assert mark is not None
        mark.send(signal.SIGKILL)
    second = start()
    second.healthy()
    assert await remembers(second, "kept")


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(start: Start) -> None:
    first = start()
    first.healthy()
    first.process.terminate()
    first.process.wait(10)
    stranger = f"{os.getpid()}\n{postgres.data_folder(first.settings.home)}\n0\n1\n\nlocalhost\n\nready\n"
    (postgres.data_folder(first.settings.home) / "postmaster.pid").write_text(stranger)
    start().healthy()


def test_a_taken_port_is_named_with_its_holder_and_the_way_out(start: Start) -> None:
    with socket.socket() as holder:
        running = start()
        running.end()  # only for its settings: the next one meets a taken port
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", running.settings.postgres_port))
        holder.listen()
        refused = start()
        assert refused.process.wait(DEADLINE) == 1
        message = refused.output()
    assert f"Port {running.settings.postgres_port} (Postgres, EVERSTAY_POSTGRES_PORT) is taken by" in message
    assert f"(pid {os.getpid()})" in message
    assert "--auto-ports" in message
